using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Emit;

namespace Coppice.Docs.Tests;

/// <summary>Compiles the C# of the pages against the libraries as they were built.</summary>
internal static class Compiler
{
    /// <summary>What a new console project imports by itself.</summary>
    private const string ImplicitUsings =
        """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private const string BeforeStatements =
        """
        using System.Text.Json;
        using System.Text.Json.Serialization.Metadata;
        using Coppice;
        using Microsoft.Extensions.AI;
        using Microsoft.Extensions.DependencyInjection;
        using Microsoft.Extensions.Hosting;
        using Microsoft.Extensions.Logging;

        internal static class Page
        {
            internal static async Task ShowAsync(
                BackgroundTaskManager manager, ITaskStore store, TaskContext context, IServiceCollection services, CancellationToken stop,
                TaskRegistry kinds, IChatClient model, AIFunction find, List<ChatMessage> history, JsonTypeInfo<Uri> contract)
            {
        #line 1
        """;

    private static readonly CSharpParseOptions Language = new(LanguageVersion.Preview);

    // What the SDK runs for every project: the contracts of JSON.
    private static readonly ISourceGenerator[] Generators =
    [
        .. new AnalyzerFileReference(
            Path.Combine(ReferencePack(), "analyzers", "dotnet", "cs", "System.Text.Json.SourceGeneration.dll"),
            new Loader()).GetGenerators(LanguageNames.CSharp),
    ];

    private static readonly MetadataReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    /// <summary>Statements that await nothing, and a variable that is shown and not used: both are fine on a page.</summary>
    private static readonly Dictionary<string, ReportDiagnostic> Tolerated = new()
    {
        ["CS1998"] = ReportDiagnostic.Suppress, ["CS0219"] = ReportDiagnostic.Suppress, ["CS1591"] = ReportDiagnostic.Suppress,
        ["CS1701"] = ReportDiagnostic.Suppress,
    };

    internal static IReadOnlyList<string> Check(CodeBlock block) => Compile(block, Stream.Null);

    /// <summary>Compiles a block into a stream.</summary>
    /// <returns>What is wrong with it, warnings included.</returns>
    internal static IReadOnlyList<string> Compile(CodeBlock block, Stream output)
    {
        var text = block.IsProgram ? block.Text : $"{BeforeStatements}\n{block.Text}\n    }}\n}}\n";
        Compilation compilation = CSharpCompilation.Create(
            "Page_" + Guid.NewGuid().ToString("N"),
            [Parse(ImplicitUsings), Parse(text)],
            References,
            new CSharpCompilationOptions(
                block.IsProgram ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary,
                nullableContextOptions: NullableContextOptions.Enable,
                specificDiagnosticOptions: Tolerated));
        CSharpGeneratorDriver.Create(Generators, parseOptions: Language)
            .RunGeneratorsAndUpdateCompilation(compilation, out compilation, out _, CancellationToken.None);
        using var whole = new MemoryStream();
        EmitResult result = compilation.Emit(whole);
        whole.WriteTo(output);
        return
        [
            .. result.Diagnostics.Where(d => d.Severity >= DiagnosticSeverity.Warning)
                .Select(d => $"{block.Page}:{block.Line + d.Location.GetMappedLineSpan().StartLinePosition.Line}: {d.Id}: {d.GetMessage(null)}"),
        ];
    }

    /// <summary>The folder of the framework's references, in the SDK that runs the tests.</summary>
    private static string ReferencePack() => Directory
        .GetDirectories(Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "packs", "Microsoft.NETCore.App.Ref")))
        .Order(StringComparer.Ordinal).Last();

    private static SyntaxTree Parse(string text) => CSharpSyntaxTree.ParseText(text, Language);

    private sealed class Loader : IAnalyzerAssemblyLoader
    {
        public void AddDependencyLocation(string fullPath)
        {
        }

        public Assembly LoadFromPath(string fullPath) => Assembly.LoadFrom(fullPath);
    }
}

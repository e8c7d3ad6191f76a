namespace Coppice.StoreContract;

/// <summary>What stands between the tokens of a document: mostly what is allowed, at times what only some readers allow.</summary>
/// <param name="random">Where chance comes from.</param>
/// <param name="sloppy">How likely anything unusual is, in percent.</param>
internal sealed class JsonStyle(Random random, int sloppy)
{
    private static readonly string[] Spaces = [" ", "\n", "\t", "\r\n", "    "];
    private static readonly string[] Comments = ["/* c */", "// c\n", "/**/", "/*", "//"];

    internal string Space() => !Unusual() ? "" : random.Next(8) == 0 ? Pick(Comments) : Pick(Spaces);

    internal string Comma() => Unusual() && random.Next(20) == 0 ? ",," : ",";

    internal string LastComma(int items) => items > 0 && Unusual() && random.Next(3) == 0 ? "," : "";

    private bool Unusual() => random.Next(100) < sloppy;

    private string Pick(string[] choices) => choices[random.Next(choices.Length)];
}

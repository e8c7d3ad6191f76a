using Microsoft.Extensions.DependencyInjection;

namespace Coppice;

/// <summary>A kind of task that was registered with the services.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Create">Registers it, once there are services.</param>
internal sealed record TaskRegistration(TaskKind Kind, Func<IServiceScopeFactory, RegisteredKind> Create);

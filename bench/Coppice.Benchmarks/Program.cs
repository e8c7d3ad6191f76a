using Coppice.Benchmarks;

// dotnet run -c Release --project bench/Coppice.Benchmarks [-- options of BenchmarkDotNet]: all operations, and bench/results/operations.md anew.
return OperationsReport.Run(args);

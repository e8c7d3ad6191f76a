namespace Coppice.PostgreSql;

/// <summary>What one notification holds.</summary>
/// <param name="Process">The process that sent it.</param>
/// <param name="Number">Its place among those of that process, from 1 and without gaps.</param>
/// <param name="Items">The news.</param>
internal readonly record struct NewsPage(long Process, long Number, IReadOnlyList<NewsItem> Items);

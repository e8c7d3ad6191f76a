using System.Globalization;
using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>What is found out about a server and the store on it, over a connection of its own that changes nothing.</summary>
internal sealed class Examination(NpgsqlConnection connection, PostgreSqlTaskStoreOptions options)
{
    private readonly List<StoreCheck> _checks = [];

    public IReadOnlyList<StoreCheck> Checks => _checks;

    public NpgsqlConnection Connection => connection;

    public PostgreSqlTaskStoreOptions Options => options;

    public string Schema => options.Schema;

    public void Ok(string name, FormattableString found) => Add(name, StoreCheckResult.Ok, found, null);

    public void Warn(string name, FormattableString found, FormattableString advice) => Add(name, StoreCheckResult.Warning, found, advice);

    public void Fail(string name, FormattableString found, FormattableString advice) => Add(name, StoreCheckResult.Failed, found, advice);

    /// <summary>Adds a check that says everything that is wrong with one thing, or that nothing is.</summary>
    public void Judge(string name, string fine, IReadOnlyCollection<(string Found, string Advice)> wrong)
    {
        if (wrong.Count == 0)
        {
            Ok(name, $"{fine}");
        }
        else
        {
            Warn(name, $"{string.Join("; ", wrong.Select(static one => one.Found))}", $"{string.Join(" ", wrong.Select(static one => one.Advice))}");
        }
    }

    /// <summary>The rows of a query, in which <c>{schema}</c> is the schema of the store.</summary>
    public async Task<List<object?[]>> RowsAsync(string sql, CancellationToken cancellationToken)
    {
        var rows = new List<object?[]>();
        var command = new NpgsqlCommand(sql.Replace("{schema}", Schema, StringComparison.Ordinal), connection);
        await using (command.ConfigureAwait(false))
        {
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                {
                    rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(column => reader.IsDBNull(column) ? null : reader.GetValue(column))]);
                }
            }
        }

        return rows;
    }

    /// <summary>The only row of a query.</summary>
    public async Task<object?[]> RowAsync(string sql, CancellationToken cancellationToken) =>
        (await RowsAsync(sql, cancellationToken).ConfigureAwait(false))[0];

    private void Add(string name, StoreCheckResult result, FormattableString found, FormattableString? advice) =>
        _checks.Add(new StoreCheck(name, result, found.ToString(CultureInfo.InvariantCulture), advice?.ToString(CultureInfo.InvariantCulture)));
}

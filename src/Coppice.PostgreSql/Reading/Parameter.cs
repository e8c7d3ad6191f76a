using Npgsql;
using NpgsqlTypes;

namespace Coppice.PostgreSql;

/// <summary>Values of a statement, by place, each with its type said: without it the server would have to be asked, and nothing be prepared.</summary>
internal static class Parameter
{
    public static NpgsqlParameter Of(long? value) => value is { } number
        ? new NpgsqlParameter<long> { NpgsqlDbType = NpgsqlDbType.Bigint, TypedValue = number }
        : new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Bigint, Value = DBNull.Value };

    public static NpgsqlParameter Of(string? value) => value is null
        ? new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Text, Value = DBNull.Value }
        : new NpgsqlParameter<string> { NpgsqlDbType = NpgsqlDbType.Text, TypedValue = value };

    public static NpgsqlParameter Of(Guid value) => new() { NpgsqlDbType = NpgsqlDbType.Uuid, Value = value };

    public static NpgsqlParameter Of(Guid[] values) => new() { NpgsqlDbType = NpgsqlDbType.Uuid | NpgsqlDbType.Array, Value = values };

    public static NpgsqlParameter Of(long[] values) => new() { NpgsqlDbType = NpgsqlDbType.Bigint | NpgsqlDbType.Array, Value = values };

    public static NpgsqlParameter Of(int[] values) => new() { NpgsqlDbType = NpgsqlDbType.Integer | NpgsqlDbType.Array, Value = values };
}

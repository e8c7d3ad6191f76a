using System.Collections;
using Npgsql;

namespace Coppice.Workloads;

/// <summary>Values that wait to be sent.</summary>
internal interface IPostgresColumn
{
    /// <summary>Hands them to the parameters that were made for them, and is empty again.</summary>
    void Hand();
}

/// <summary>Values of one column, of the rows that a transaction writes.</summary>
internal sealed class PostgresColumn<T> : IPostgresColumn, IEnumerable<T>
    where T : notnull
{
    private readonly List<T> _values = [];
    private readonly List<NpgsqlParameter<T>> _ones = [];
    private readonly List<NpgsqlParameter<T[]>> _arrays = [];

    internal int Count => _values.Count;

    internal void Add(T value) => _values.Add(value);

    /// <summary>Makes a parameter for the only value.</summary>
    internal NpgsqlParameter One()
    {
        var parameter = new NpgsqlParameter<T>();
        _ones.Add(parameter);
        return parameter;
    }

    /// <summary>Makes a parameter for all values.</summary>
    internal NpgsqlParameter All()
    {
        var parameter = new NpgsqlParameter<T[]>();
        _arrays.Add(parameter);
        return parameter;
    }

    public void Hand()
    {
        if (_values.Count > 0)
        {
            _ones.ForEach(parameter => parameter.TypedValue = _values[0]);
        }

        T[] all = _arrays.Count > 0 ? [.. _values] : [];
        _arrays.ForEach(parameter => parameter.TypedValue = all);
        _values.Clear();
    }

    public IEnumerator<T> GetEnumerator() => _values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

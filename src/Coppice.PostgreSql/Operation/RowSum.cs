using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Coppice.PostgreSql;

/// <summary>How many rows there are and what is in them, whatever their order: the sum of what each hashes to.</summary>
internal sealed class RowSum
{
    private readonly ArrayBufferWriter<byte> _row = new();
    private UInt128 _sum;

    public long Count { get; private set; }

    /// <summary>Takes in a row of whole numbers, flags, texts and nulls.</summary>
    public void Add(IReadOnlyList<object?> row)
    {
        _row.ResetWrittenCount();
        foreach (var value in row)
        {
            switch (value)
            {
                case null:
                    Tag(0);
                    break;
                case string text:
                    Tag(2);
                    Number(Encoding.UTF8.GetByteCount(text));
                    Encoding.UTF8.GetBytes(text, _row);
                    break;
                case bool flag:
                    Tag(1);
                    Number(flag ? 1 : 0);
                    break;
                default:
                    Tag(1);
                    Number(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                    break;
            }
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(_row.WrittenSpan, hash);
        _sum += BinaryPrimitives.ReadUInt128LittleEndian(hash);
        Count++;
    }

    public bool Equals(RowSum other) => Count == other.Count && _sum == other._sum;

    public override string ToString() => _sum.ToString("x32", CultureInfo.InvariantCulture);

    private void Tag(byte tag) => _row.Write([tag]);

    private void Number(long number)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_row.GetSpan(sizeof(long)), number);
        _row.Advance(sizeof(long));
    }
}

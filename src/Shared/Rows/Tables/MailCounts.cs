namespace Coppice.Rows;

/// <summary>Pieces of mail by class.</summary>
internal readonly record struct MailCounts(int Customs, int Terminals, int Messages)
{
    /// <summary>Gets how many call for a reader.</summary>
    public int Waking => Terminals + Messages;

    public int Total => Customs + Terminals + Messages;

    public static MailCounts One(MailClass mailClass) => Of(mailClass, 1);

    public static MailCounts Of(MailClass mailClass, int count) => mailClass switch
    {
        MailClass.Custom => new(count, 0, 0),
        MailClass.Terminal => new(0, count, 0),
        _ => new(0, 0, count),
    };

    public static MailCounts operator +(MailCounts left, MailCounts right) =>
        new(left.Customs + right.Customs, left.Terminals + right.Terminals, left.Messages + right.Messages);

    public static MailCounts operator -(MailCounts left, MailCounts right) =>
        new(left.Customs - right.Customs, left.Terminals - right.Terminals, left.Messages - right.Messages);
}

namespace Coppice.PostgreSql;

/// <summary>What a piece of news is, by the letter that it begins with on its way.</summary>
internal enum NewsKind
{
    /// <summary>The sender has dropped news.</summary>
    Dropped = 'D',

    /// <summary>The cancellation of a task was requested.</summary>
    Cancel = 'C',

    /// <summary>A task ended.</summary>
    Ended = 'E',

    /// <summary>Mail arrived.</summary>
    Mail = 'M',

    /// <summary>A mailbox has another reader.</summary>
    Opened = 'O',

    /// <summary>Mail was left without a reader.</summary>
    LeftUnread = 'L',

    /// <summary>Work may be claimed.</summary>
    Work = 'W',

    /// <summary>A host has left or was given up.</summary>
    Fenced = 'F',

    /// <summary>A host has joined.</summary>
    Joined = 'J',

    /// <summary>A task changed.</summary>
    Change = 'X',
}

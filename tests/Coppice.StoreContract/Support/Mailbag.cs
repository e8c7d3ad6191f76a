using System.Text.Json;

namespace Coppice.StoreContract;

/// <summary>Looks into a store's mailboxes.</summary>
public static class Mailbag
{
    /// <summary>Opens a mailbox and reads all that is not acknowledged, from the beginning.</summary>
    public static async Task<IReadOnlyList<InboxItem>> ReadAllAsync(this ITaskStore store, StoreHost host, string thread)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(host);

        var reader = Guid.NewGuid();
        var opened = Assert.IsType<MailboxOpened>(await host.AnswerAsync(new OpenMailbox(thread, reader)));
        var items = await store.ReadAsync(thread, reader, opened.AcknowledgedThrough);
        Assert.IsType<MailboxClosed>(await host.AnswerAsync(new CloseMailbox(thread, reader)));
        return items;
    }

    /// <summary>Reads on as a reader.</summary>
    public static async Task<IReadOnlyList<InboxItem>> ReadAsync(this ITaskStore store, string thread, Guid reader, long after = 0)
    {
        ArgumentNullException.ThrowIfNull(store);
        var items = new List<InboxItem>();
        while (true)
        {
            var page = await store.ReadMailAsync(thread, reader, after, 100, TestContext.Current.CancellationToken).Within();
            Assert.True(page.IsReader, $"The reader does not have the mailbox of '{thread}'.");
            if (page.Items.Count == 0)
            {
                return items;
            }

            items.AddRange(page.Items);
            after = page.Items[^1].Sequence;
        }
    }

    /// <summary>Reads all that an inbox gives without waiting.</summary>
    public static async Task<IReadOnlyList<MailEvent>> EventsAsync(this Inbox inbox)
    {
        ArgumentNullException.ThrowIfNull(inbox);
        return [.. (await inbox.DrainAsync(TestContext.Current.CancellationToken).Within()).Select(static item => item.Event)];
    }

    /// <summary>Waits for so many pieces of mail.</summary>
    public static async Task<IReadOnlyList<InboxItem>> ReadAsync(this Inbox inbox, int count)
    {
        ArgumentNullException.ThrowIfNull(inbox);
        var items = new List<InboxItem>();
        while (items.Count < count)
        {
            items.Add(await inbox.ReadAsync(TestContext.Current.CancellationToken).Within());
        }

        return items;
    }

    /// <summary>JSON from text, which is kept as it is written.</summary>
    public static JsonElement Json(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    /// <summary>A custom event.</summary>
    public static CustomTaskEvent Progress(string taskId, int number) =>
        new(taskId, "progress", JsonSerializer.SerializeToElement(number));

    /// <summary>Custom events with numbers.</summary>
    public static IReadOnlyList<CustomTaskEvent> ProgressRange(string taskId, int first, int count) =>
        [.. Enumerable.Range(first, count).Select(number => Progress(taskId, number))];

    /// <summary>The number of a <see cref="Progress"/> event.</summary>
    public static int Number(MailEvent mail) => Assert.IsType<CustomTaskEvent>(mail).Payload.GetInt32();

    /// <summary>A message between threads.</summary>
    public static ThreadMessage Message(string content, string from = "t0") =>
        new(Guid.CreateVersion7().ToString("N"), from, "planner", content);
}

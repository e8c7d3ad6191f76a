using System.Globalization;

namespace Coppice.Sqlite;

/// <summary>The tables, and how a file of an older version is brought forward.</summary>
/// <remarks>
/// Tasks go by a number: that of their id <c>bg_n</c>, or, for ids of another form, one from <see cref="FirstForeign"/> up that
/// <c>foreign_ids</c> gives. Threads go by a number too, which keeps indexes small and close together.
/// </remarks>
internal static class Schema
{
    /// <summary>The first number of a task whose id is not of the form that stores give.</summary>
    public const long FirstForeign = 1L << 60;

    private const long ApplicationId = 0x436F7063; // "Copc"

    private static readonly string[] Migrations =
    [
        """
        CREATE TABLE meta (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            revision INTEGER NOT NULL,
            next_task INTEGER NOT NULL,
            next_foreign INTEGER NOT NULL,
            next_epoch INTEGER NOT NULL,
            mail_depth INTEGER NOT NULL,
            last_claim INTEGER NOT NULL,
            last_turn INTEGER NOT NULL);
        INSERT INTO meta VALUES (1, 0, 0, 1152921504606846976, 1, 0, 0, 0);

        -- A thread and the head of its mailbox: the last sequence given, the last acknowledged, and what is not acknowledged by class. And
        -- how many entries its conversation has.
        CREATE TABLE threads (
            n INTEGER PRIMARY KEY,
            last_seq INTEGER NOT NULL DEFAULT 0,
            acked INTEGER NOT NULL DEFAULT 0,
            customs INTEGER NOT NULL DEFAULT 0,
            terminals INTEGER NOT NULL DEFAULT 0,
            messages INTEGER NOT NULL DEFAULT 0,
            wakes INTEGER NOT NULL DEFAULT 0,
            entries INTEGER NOT NULL DEFAULT 0,
            id TEXT NOT NULL UNIQUE);
        CREATE INDEX threads_that_wake ON threads (n) WHERE wakes = 1;

        CREATE TABLE foreign_ids (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);

        -- What is long stands last, so that the rest can be read without it.
        CREATE TABLE tasks (
            n INTEGER PRIMARY KEY,
            owner INTEGER NOT NULL,
            state INTEGER NOT NULL,
            created_ms INTEGER NOT NULL,
            completed_ms INTEGER,
            cancel_ms INTEGER,
            parent INTEGER,
            host_epoch INTEGER NOT NULL,
            events_through INTEGER NOT NULL DEFAULT 0,
            agent_thread INTEGER,
            agent_open INTEGER NOT NULL DEFAULT 0,
            continues INTEGER,
            notify INTEGER NOT NULL DEFAULT 0,
            kind INTEGER,
            type TEXT NOT NULL,
            name TEXT,
            run_id TEXT,
            call_id TEXT,
            agent_id TEXT,
            cancelled_by TEXT,
            description TEXT NOT NULL,
            error TEXT,
            result TEXT);
        CREATE INDEX tasks_by_time ON tasks (created_ms);
        CREATE INDEX tasks_by_owner ON tasks (owner, created_ms);
        CREATE INDEX tasks_by_parent ON tasks (parent, created_ms) WHERE parent IS NOT NULL;
        CREATE INDEX tasks_by_run ON tasks (run_id, created_ms) WHERE run_id IS NOT NULL;
        CREATE UNIQUE INDEX tasks_live ON tasks (owner, name) WHERE state < 3;
        CREATE INDEX tasks_live_agents ON tasks (agent_thread) WHERE agent_thread IS NOT NULL AND state < 3;
        CREATE INDEX tasks_held ON tasks (host_epoch) WHERE host_epoch > 0 AND state < 3;
        CREATE INDEX tasks_by_kind ON tasks (kind, created_ms) WHERE kind IS NOT NULL;
        CREATE INDEX tasks_waiting_agents ON tasks (agent_thread) WHERE agent_thread IS NOT NULL AND kind IS NOT NULL AND state = 0;

        -- What a task of a kind has more than another, as long as the task is stored. lane is kind << 28 | thread. Of a pending one rank or due_ms is
        -- set: it may be claimed, in that order, or waits for its time; and expires_ms is its deadline. claim is that of the last attempt; owner is
        -- set with a key by which its thread finds the task.
        CREATE TABLE work (
            n INTEGER PRIMARY KEY,
            lane INTEGER NOT NULL,
            version INTEGER NOT NULL,
            recovery INTEGER NOT NULL,
            max_crashes INTEGER NOT NULL,
            priority INTEGER NOT NULL,
            attempt INTEGER NOT NULL,
            failures INTEGER NOT NULL,
            crashes INTEGER NOT NULL,
            claim INTEGER NOT NULL DEFAULT 0,
            rank INTEGER,
            due_ms INTEGER,
            expires_ms INTEGER,
            deadline_ms INTEGER,
            has_steps INTEGER NOT NULL DEFAULT 0,
            has_checkpoint INTEGER NOT NULL DEFAULT 0,
            owner INTEGER,
            key TEXT,
            last_error TEXT);
        CREATE INDEX work_ready ON work (lane, version, priority DESC, rank) WHERE rank IS NOT NULL;
        CREATE INDEX work_ready_by_rank ON work (lane, version, rank) WHERE rank IS NOT NULL AND priority <> 0;
        CREATE INDEX work_due ON work (due_ms) WHERE due_ms IS NOT NULL;
        CREATE INDEX work_that_expires ON work (expires_ms) WHERE expires_ms IS NOT NULL;
        CREATE UNIQUE INDEX work_by_key ON work (owner, key) WHERE owner IS NOT NULL;

        -- Apart from the work, which is written anew at every claim.
        CREATE TABLE inputs (n INTEGER PRIMARY KEY, json TEXT NOT NULL);
        CREATE TABLE checkpoints (n INTEGER PRIMARY KEY, json TEXT NOT NULL);
        CREATE TABLE steps (
            n INTEGER PRIMARY KEY,
            task INTEGER NOT NULL,
            place INTEGER NOT NULL,
            name TEXT NOT NULL,
            key TEXT NOT NULL,
            after TEXT NOT NULL,
            is_fork INTEGER NOT NULL,
            error TEXT,
            result TEXT);
        CREATE UNIQUE INDEX steps_by_name ON steps (task, name, key);
        CREATE UNIQUE INDEX steps_by_place ON steps (task, place);

        -- The kinds of the tasks that are stored.
        CREATE TABLE kinds (
            n INTEGER PRIMARY KEY,
            running INTEGER NOT NULL DEFAULT 0,
            ready INTEGER NOT NULL DEFAULT 0,
            name TEXT NOT NULL UNIQUE);
        CREATE INDEX kinds_with_ready ON kinds (n) WHERE ready > 0;

        -- When hosts were given up under attempts of a kind.
        CREATE TABLE kind_crashes (
            kind INTEGER NOT NULL,
            at_ms INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            PRIMARY KEY (kind, at_ms, epoch)) WITHOUT ROWID;

        -- The tasks of one kind in one thread, while some are ready or running. priority is the highest and version the lowest among the ready.
        CREATE TABLE lanes (
            n INTEGER PRIMARY KEY,
            kind INTEGER NOT NULL,
            running INTEGER NOT NULL,
            ready INTEGER NOT NULL,
            priority INTEGER NOT NULL,
            version INTEGER NOT NULL,
            turn INTEGER NOT NULL);
        CREATE INDEX lanes_by_priority ON lanes (kind, priority DESC, turn) WHERE ready > 0;
        CREATE INDEX lanes_by_turn ON lanes (kind, turn) WHERE ready > 0 AND priority <> 0;

        -- The tasks that are live or have a live descendant, as far as a tree or a run can reach them. What has ended below nothing live
        -- is not here, so a cancel costs what is live. run_id is set only where there is no parent.
        CREATE TABLE branches (
            n INTEGER PRIMARY KEY,
            parent INTEGER,
            owner INTEGER NOT NULL,
            ended INTEGER NOT NULL,
            name TEXT,
            run_id TEXT);
        CREATE INDEX branches_by_parent ON branches (parent, name) WHERE parent IS NOT NULL;
        CREATE INDEX branches_by_run ON branches (run_id, name) WHERE run_id IS NOT NULL;
        CREATE INDEX branches_ended ON branches (owner) WHERE ended = 1;

        -- Not acknowledged. place is thread << 35 | sequence; task is the agent that a message is addressed to.
        CREATE TABLE mail (
            place INTEGER PRIMARY KEY,
            class INTEGER NOT NULL,
            task INTEGER,
            json TEXT NOT NULL);

        -- place is thread << 35 | entry + 1.
        CREATE TABLE conversations (
            place INTEGER PRIMARY KEY,
            json TEXT NOT NULL);

        -- The ids of messages between threads, by the thread they are for. box is 0 for a mailbox, where place is the sequence, and 1 for the
        -- outbox, where place is the number. forget_ms is set once the message is done with.
        CREATE TABLE message_ids (
            thread INTEGER NOT NULL,
            id TEXT NOT NULL,
            box INTEGER NOT NULL,
            place INTEGER NOT NULL,
            keep_ms INTEGER NOT NULL,
            expires_ms INTEGER,
            forget_ms INTEGER,
            PRIMARY KEY (thread, id, box)) WITHOUT ROWID;
        CREATE INDEX message_ids_waiting ON message_ids (thread, place) WHERE box = 0 AND forget_ms IS NULL;
        CREATE INDEX message_ids_that_expire ON message_ids (expires_ms) WHERE expires_ms IS NOT NULL;
        CREATE INDEX message_ids_to_forget ON message_ids (forget_ms) WHERE forget_ms IS NOT NULL;

        -- On their way out, in lanes of one sender and one recipient. Only the first of a lane has a due_ms, and only while nobody has it;
        -- claim is the epoch of the host that has it.
        CREATE TABLE outbox (
            n INTEGER PRIMARY KEY AUTOINCREMENT,
            sender INTEGER NOT NULL,
            recipient INTEGER NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            due_ms INTEGER,
            claim INTEGER,
            json TEXT NOT NULL);
        CREATE INDEX outbox_by_lane ON outbox (sender, recipient, n);
        CREATE INDEX outbox_due ON outbox (due_ms) WHERE due_ms IS NOT NULL;
        CREATE INDEX outbox_claimed ON outbox (claim) WHERE claim IS NOT NULL;

        -- Messages that failed, by their sender's thread. box is 0 for a mailbox, 1 for the outbox, 2 for an agent that ended: a dead letter.
        CREATE TABLE failed_messages (
            n INTEGER PRIMARY KEY AUTOINCREMENT,
            sender INTEGER NOT NULL,
            recipient INTEGER NOT NULL,
            box INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            failed_ms INTEGER NOT NULL,
            json TEXT NOT NULL,
            reason TEXT NOT NULL);
        CREATE INDEX failed_messages_by_sender ON failed_messages (sender, n);
        CREATE INDEX dead_letters_by_place ON failed_messages (recipient, seq) WHERE box = 2;
        """,
    ];

    /// <summary>Gets the version this code writes.</summary>
    public static long Version => Migrations.Length;

    public static long VersionOf(Connection connection) => connection.Scalar("PRAGMA user_version") ?? 0;

    /// <summary>Refuses a database that is another program's or a newer version's, before anything in it is changed.</summary>
    public static void Check(Connection connection, string path)
    {
        var isEmpty = connection.Scalar("SELECT NOT EXISTS (SELECT 1 FROM sqlite_master)") == 1;
        if (connection.Scalar("PRAGMA application_id") != ApplicationId && !isEmpty)
        {
            throw StoreFaults.Foreign(path);
        }

        if (VersionOf(connection) is var version && version > Version)
        {
            throw StoreFaults.Newer(path, version, Version);
        }
    }

    public static void Migrate(Connection connection, string path) => Migrate(connection, path, Migrations);

    /// <summary>Runs the steps that the file has not seen, all in one transaction.</summary>
    internal static void Migrate(Connection connection, string path, IReadOnlyList<string> migrations)
    {
        if (VersionOf(connection) == migrations.Count)
        {
            return;
        }

        connection.Execute("BEGIN IMMEDIATE");
        try
        {
            var version = (int)VersionOf(connection);
            if (version > migrations.Count)
            {
                throw StoreFaults.Newer(path, version, migrations.Count);
            }

            foreach (var migration in migrations.Skip(version))
            {
                connection.Execute(migration);
            }

            connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA application_id = {ApplicationId}"));
            connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {migrations.Count}"));
            connection.Execute("COMMIT");
        }
        catch
        {
            if (connection.InTransaction)
            {
                connection.Execute("ROLLBACK");
            }

            throw;
        }
    }
}

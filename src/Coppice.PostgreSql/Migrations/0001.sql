-- Every table carries owner_thread_id, by which it can be partitioned or distributed; its primary key begins with it. Times are
-- milliseconds since 1970 in UTC. JSON is text: what is kept is what was handed in, byte for byte.

-- What an id is looked up by where no two may be the same: itself or, where it is longer than what an index holds, its digest, which is padded, so that no
-- id is the key of another.
CREATE FUNCTION {schema}.index_key(id text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN octet_length(id) <= 1024 THEN id ELSE rpad(encode(sha256(decode(replace(id, '\', '\\'), 'escape')), 'hex'), 1025, '.') END $$;

-- The one directory of threads, and the one of tasks, for calls that bring only an id. They are not partitioned.
CREATE TABLE {schema}.thread_ids (
    id text COLLATE "C" NOT NULL,
    owner_thread_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE UNIQUE INDEX thread_ids_by_id ON {schema}.thread_ids ({schema}.index_key(id));
CREATE TABLE {schema}.task_ids (
    n bigint PRIMARY KEY,
    owner_thread_id bigint NOT NULL);
-- The numbers of ids that are not of the form bg_n, from 2^60.
CREATE TABLE {schema}.foreign_ids (
    id text COLLATE "C" NOT NULL,
    n bigint PRIMARY KEY);
CREATE UNIQUE INDEX foreign_ids_by_id ON {schema}.foreign_ids ({schema}.index_key(id));

CREATE SEQUENCE {schema}.foreign_numbers MINVALUE 1152921504606846976 START 1152921504606846976;
CREATE SEQUENCE {schema}.revisions;
CREATE SEQUENCE {schema}.epochs;
CREATE SEQUENCE {schema}.claims;
CREATE SEQUENCE {schema}.turns;

-- next_task: from there on no number of a task was taken yet; they are taken in blocks. restored_through: numbers up to it were seen in restored
-- snapshots, and are not given out from blocks that were taken before. facts changes with what changes facts of a thread without its lock: when ended tasks are
-- deleted, and when a task names a parent that is not there (yet). news_channel names the
-- channel of notifications, which nobody is to know who may not read this.
CREATE TABLE {schema}.meta (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    next_task bigint NOT NULL DEFAULT 0,
    restored_through bigint NOT NULL DEFAULT -1,
    facts bigint NOT NULL DEFAULT 0,
    news_channel uuid NOT NULL DEFAULT gen_random_uuid());
INSERT INTO {schema}.meta DEFAULT VALUES;

-- process is drawn at random by each process that opens the store; handles_unread is whether it calls somebody for mail that nobody reads.
-- server is the start of the server on which the host has its session lock.
CREATE TABLE {schema}.hosts (
    epoch bigint PRIMARY KEY,
    process bigint NOT NULL,
    host_id text NOT NULL,
    beats bigint NOT NULL DEFAULT 0,
    is_open boolean NOT NULL DEFAULT true,
    handles_unread boolean NOT NULL DEFAULT false,
    joined_ms bigint NOT NULL,
    server bigint NOT NULL) WITH (fillfactor = 50);

-- The last group of batches that a writer committed, by which a commit is found whose answer was lost. A row is of one connection, and goes a day after its
-- last commit. Whoever has looked a commit up has closed it: what that connection may still be about to commit will not land.
CREATE TABLE {schema}.commits (
    writer uuid PRIMARY KEY,
    number bigint NOT NULL,
    closed boolean NOT NULL DEFAULT false,
    at timestamptz NOT NULL) WITH (fillfactor = 10);

-- The lock of a thread, the head of its mailbox (the last sequence given, the last acknowledged, what is not acknowledged by class), and who
-- has it open, how far that one has read, and what it has not read by class. wakes is whether a terminal or a message is not acknowledged.
-- version grows with every transaction that held the lock and wrote: as long as it is the same, so is all that hangs on the thread.
CREATE TABLE {schema}.threads (
    owner_thread_id bigint PRIMARY KEY,
    version bigint NOT NULL DEFAULT 0,
    last_seq bigint NOT NULL DEFAULT 0,
    acked bigint NOT NULL DEFAULT 0,
    customs integer NOT NULL DEFAULT 0,
    terminals integer NOT NULL DEFAULT 0,
    messages integer NOT NULL DEFAULT 0,
    entries integer NOT NULL DEFAULT 0,
    wakes boolean NOT NULL DEFAULT false,
    reader uuid,
    reader_epoch bigint,
    reader_agent bigint,
    read_through bigint NOT NULL DEFAULT 0,
    unread_customs integer NOT NULL DEFAULT 0,
    unread_terminals integer NOT NULL DEFAULT 0,
    unread_messages integer NOT NULL DEFAULT 0) WITH (fillfactor = 60);
CREATE INDEX threads_that_wake ON {schema}.threads (owner_thread_id) WHERE wakes;
CREATE INDEX threads_by_reader ON {schema}.threads (reader_epoch) WHERE reader_epoch IS NOT NULL;

-- Its indexes have no column that changes, so that the end of a task writes its row and no index.
CREATE TABLE {schema}.tasks (
    owner_thread_id bigint NOT NULL,
    n bigint NOT NULL,
    created_ms bigint NOT NULL,
    completed_ms bigint,
    cancel_ms bigint,
    parent bigint,
    parent_owner bigint,
    agent_thread bigint,
    continues bigint,
    host_epoch bigint NOT NULL DEFAULT 0,
    kind integer,
    events_through integer NOT NULL DEFAULT 0,
    state smallint NOT NULL,
    notify smallint NOT NULL DEFAULT 0,
    agent_open boolean NOT NULL DEFAULT false,
    type text NOT NULL,
    name text,
    run_id text,
    call_id text,
    agent_id text,
    cancelled_by text,
    description text NOT NULL,
    error text,
    result text) WITH (fillfactor = 70);
CREATE INDEX tasks_by_owner ON {schema}.tasks (owner_thread_id, created_ms, n);
CREATE INDEX tasks_by_time ON {schema}.tasks (created_ms, n);
CREATE INDEX tasks_by_parent ON {schema}.tasks (parent, created_ms, n) WHERE parent IS NOT NULL;
-- By a hash, because an id may be longer than what an index holds.
CREATE INDEX tasks_by_run ON {schema}.tasks (hashtextextended(run_id, 0), created_ms, n) WHERE run_id IS NOT NULL;
CREATE INDEX tasks_by_kind ON {schema}.tasks (kind, created_ms, n) WHERE kind IS NOT NULL;
-- After the others: where all cost the same, as long as the table is empty, the planner takes the index that was made last.
ALTER TABLE {schema}.tasks ADD PRIMARY KEY (owner_thread_id, n);

-- What is live, or has ended above something that is: where names, hosts, agents and trees are looked up. run_id is set only where there is
-- no parent; host_epoch is null where no host has the task, or it has ended.
CREATE TABLE {schema}.branches (
    owner_thread_id bigint NOT NULL,
    n bigint NOT NULL,
    parent bigint,
    parent_owner bigint,
    host_epoch bigint,
    agent_thread bigint,
    kind integer,
    ended boolean NOT NULL DEFAULT false,
    name text COLLATE "C",
    run_id text COLLATE "C",
    PRIMARY KEY (owner_thread_id, n)) WITH (fillfactor = 70);
CREATE UNIQUE INDEX branches_by_name ON {schema}.branches (owner_thread_id, name) WHERE NOT ended AND name IS NOT NULL;
CREATE INDEX branches_by_parent ON {schema}.branches (parent, name) WHERE parent IS NOT NULL;
CREATE INDEX branches_by_run ON {schema}.branches (hashtextextended(run_id, 0), name) WHERE run_id IS NOT NULL;
CREATE INDEX branches_by_host ON {schema}.branches (host_epoch) WHERE host_epoch IS NOT NULL;
CREATE INDEX branches_by_agent ON {schema}.branches (agent_thread) WHERE agent_thread IS NOT NULL AND NOT ended;

CREATE TABLE {schema}.kinds (
    n integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL);
CREATE UNIQUE INDEX kinds_by_name ON {schema}.kinds ({schema}.index_key(name));
CREATE TABLE {schema}.kind_crashes (
    kind integer NOT NULL,
    at_ms bigint NOT NULL,
    epoch bigint NOT NULL,
    PRIMARY KEY (kind, at_ms, epoch));

-- restored is of a task that came with a snapshot: its key is there to be read, and no task is found by it.
CREATE TABLE {schema}.work (
    owner_thread_id bigint NOT NULL,
    n bigint NOT NULL,
    kind integer NOT NULL,
    version integer NOT NULL,
    max_crashes integer NOT NULL,
    priority integer NOT NULL,
    attempt integer NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    crashes integer NOT NULL DEFAULT 0,
    claim bigint NOT NULL DEFAULT 0,
    rank bigint,
    due_ms bigint,
    expires_ms bigint,
    deadline_ms bigint,
    recovery smallint NOT NULL,
    has_steps boolean NOT NULL DEFAULT false,
    has_checkpoint boolean NOT NULL DEFAULT false,
    restored boolean NOT NULL DEFAULT false,
    key text COLLATE "C",
    last_error text,
    input text NOT NULL,
    PRIMARY KEY (owner_thread_id, n)) WITH (fillfactor = 70);
CREATE INDEX work_ready ON {schema}.work (owner_thread_id, kind, version, priority DESC, rank) WHERE rank IS NOT NULL;
CREATE INDEX work_ready_by_rank ON {schema}.work (owner_thread_id, kind, version, rank) WHERE rank IS NOT NULL AND priority <> 0;
CREATE INDEX work_due ON {schema}.work (due_ms, n) WHERE due_ms IS NOT NULL;
CREATE INDEX work_that_expires ON {schema}.work (expires_ms, n) WHERE expires_ms IS NOT NULL;
-- By a hash, because a key may be longer than what an index holds. That it is the only one is decided under the thread's lock.
CREATE INDEX work_by_key ON {schema}.work (owner_thread_id, hashtextextended(key, 0)) WHERE key IS NOT NULL AND NOT restored;

CREATE TABLE {schema}.lanes (
    owner_thread_id bigint NOT NULL,
    kind integer NOT NULL,
    ready integer NOT NULL,
    running integer NOT NULL,
    priority integer NOT NULL,
    version integer NOT NULL,
    turn bigint NOT NULL,
    PRIMARY KEY (owner_thread_id, kind)) WITH (fillfactor = 60);
CREATE INDEX lanes_by_priority ON {schema}.lanes (kind, priority DESC, turn) WHERE ready > 0;
CREATE INDEX lanes_by_turn ON {schema}.lanes (kind, turn) WHERE ready > 0;
CREATE INDEX lanes_running ON {schema}.lanes (kind) INCLUDE (owner_thread_id, running) WHERE running > 0;

CREATE TABLE {schema}.checkpoints (
    owner_thread_id bigint NOT NULL,
    n bigint NOT NULL,
    json text NOT NULL,
    PRIMARY KEY (owner_thread_id, n));
CREATE TABLE {schema}.steps (
    owner_thread_id bigint NOT NULL,
    n bigint NOT NULL,
    place integer NOT NULL,
    is_fork boolean NOT NULL,
    name text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    after text NOT NULL,
    error text,
    result text,
    PRIMARY KEY (owner_thread_id, n, place));
-- By a hash, as work_by_key.
CREATE INDEX steps_by_name ON {schema}.steps (owner_thread_id, n, hashtextextended(key, hashtextextended(name, 0)));

-- Not acknowledged. task is the agent that a message is addressed to.
CREATE TABLE {schema}.mail (
    owner_thread_id bigint NOT NULL,
    seq bigint NOT NULL,
    task bigint,
    class smallint NOT NULL,
    json text NOT NULL,
    PRIMARY KEY (owner_thread_id, seq));
CREATE TABLE {schema}.conversations (
    owner_thread_id bigint NOT NULL,
    entry integer NOT NULL,
    json text NOT NULL,
    PRIMARY KEY (owner_thread_id, entry));

-- The ids of messages between threads, by the thread they are for. box is 0 for a mailbox, where place is the sequence, and 1 for the
-- outbox, where place is the number. forget_ms is set once the message is done with.
CREATE TABLE {schema}.message_ids (
    owner_thread_id bigint NOT NULL,
    place bigint NOT NULL,
    keep_ms bigint NOT NULL,
    expires_ms bigint,
    forget_ms bigint,
    box smallint NOT NULL,
    id text COLLATE "C" NOT NULL,
    PRIMARY KEY (owner_thread_id, box, place));
CREATE UNIQUE INDEX message_ids_by_id ON {schema}.message_ids (owner_thread_id, {schema}.index_key(id), box);
CREATE INDEX message_ids_waiting ON {schema}.message_ids (owner_thread_id, place) WHERE box = 0 AND forget_ms IS NULL;
CREATE INDEX message_ids_that_expire ON {schema}.message_ids (expires_ms, place) WHERE expires_ms IS NOT NULL;
CREATE INDEX message_ids_to_forget ON {schema}.message_ids (forget_ms) WHERE forget_ms IS NOT NULL;

-- On their way out, by their sender, in lanes of one sender and one recipient. Only the first of a lane has a due_ms, and only while nobody
-- has it; claim is the epoch of the host that has it.
CREATE TABLE {schema}.outbox (
    owner_thread_id bigint NOT NULL,
    n bigint GENERATED ALWAYS AS IDENTITY,
    recipient bigint NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    due_ms bigint,
    claim bigint,
    json text NOT NULL,
    PRIMARY KEY (owner_thread_id, n));
CREATE INDEX outbox_by_lane ON {schema}.outbox (owner_thread_id, recipient, n);
CREATE INDEX outbox_by_number ON {schema}.outbox (n);
CREATE INDEX outbox_due ON {schema}.outbox (due_ms, n) WHERE due_ms IS NOT NULL;
CREATE INDEX outbox_claimed ON {schema}.outbox (claim) WHERE claim IS NOT NULL;

-- Messages that failed, by their sender. box is 0 for a mailbox, 1 for the outbox, 2 for an agent that ended: a dead letter.
CREATE TABLE {schema}.failed_messages (
    owner_thread_id bigint NOT NULL,
    n bigint GENERATED ALWAYS AS IDENTITY,
    recipient bigint NOT NULL,
    seq bigint NOT NULL,
    failed_ms bigint NOT NULL,
    attempts integer NOT NULL,
    box smallint NOT NULL,
    json text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (owner_thread_id, n));
CREATE INDEX failed_messages_by_number ON {schema}.failed_messages (n);
CREATE INDEX dead_letters_by_place ON {schema}.failed_messages (recipient, seq) WHERE box = 2;

-- Marks the transaction of a writer, which is refused once the writer was closed.
CREATE FUNCTION {schema}.mark(by_writer uuid, as_number bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {schema}.commits AS c (writer, number, at) VALUES (by_writer, as_number, now())
    ON CONFLICT (writer) DO UPDATE SET number = excluded.number, at = excluded.at WHERE NOT c.closed;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'The writer was closed: somebody looked up what became of an earlier transaction.' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END $$;

-- The locks of a transaction that decides by what its host knows of some threads, and whether that still holds: NULL where it does not, else a new
-- revision. The second statement sees what is committed once the locks of the first are held, and of each thread that it locks the last version; whatever is then written in
-- the same statement that calls this needs to see no more than what was known. open_hosts are the epochs of the open hosts, in their order, negative where one
-- handles unread mail; known_threads are in their order.
CREATE FUNCTION {schema}.hold(
    shared_locks bigint[], open_hosts bigint[], known_threads bigint[], known_versions bigint[], known_restored bigint, known_facts bigint,
    by_writer uuid, as_number bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(key) FROM unnest(shared_locks) AS key;
    IF open_hosts IS DISTINCT FROM ARRAY(
            SELECT CASE WHEN handles_unread THEN -epoch ELSE epoch END FROM {schema}.hosts WHERE is_open ORDER BY epoch)
        OR NOT EXISTS (SELECT FROM {schema}.meta WHERE restored_through = known_restored AND facts = known_facts)
        OR known_versions IS DISTINCT FROM ARRAY(
            SELECT version FROM {schema}.threads WHERE owner_thread_id = ANY (known_threads) ORDER BY owner_thread_id FOR NO KEY UPDATE) THEN
        RETURN NULL;
    END IF;
    PERFORM {schema}.mark(by_writer, as_number);
    RETURN nextval('{schema}.revisions');
END $$;

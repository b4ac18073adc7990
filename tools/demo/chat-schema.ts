/** A chat service's database, with one of everything that SQLite can have: what a backup must bring back exactly. */
export const TABLES = `
  CREATE TABLE users (
    id            INTEGER PRIMARY KEY,
    handle        TEXT    NOT NULL UNIQUE COLLATE NOCASE,
    display_name  TEXT    NOT NULL,
    email         TEXT    NOT NULL,
    email_domain  TEXT    GENERATED ALWAYS AS (substr(email, instr(email, '@') + 1)) STORED,
    settings      TEXT    NOT NULL CHECK (json_valid(settings)),
    avatar        BLOB,
    created_at    INTEGER NOT NULL,
    last_seen_at  INTEGER
  ) STRICT;

  CREATE TABLE channels (
    id          INTEGER PRIMARY KEY,
    name        TEXT    NOT NULL UNIQUE,
    topic       TEXT,
    kind        TEXT    NOT NULL CHECK (kind IN ('public', 'private', 'direct')),
    created_by  INTEGER NOT NULL REFERENCES users (id),
    created_at  INTEGER NOT NULL,
    archived    INTEGER NOT NULL DEFAULT 0
  );

  CREATE TABLE memberships (
    channel_id  INTEGER NOT NULL REFERENCES channels (id),
    user_id     INTEGER NOT NULL REFERENCES users (id),
    role        TEXT    NOT NULL DEFAULT 'member',
    joined_at   INTEGER NOT NULL,
    last_read   INTEGER,
    PRIMARY KEY (channel_id, user_id)
  ) WITHOUT ROWID;

  CREATE TABLE messages (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    channel_id  INTEGER NOT NULL REFERENCES channels (id),
    author_id   INTEGER NOT NULL REFERENCES users (id),
    sent_at     INTEGER NOT NULL,
    edited_at   INTEGER,
    reply_to    INTEGER REFERENCES messages (id) ON DELETE SET NULL,
    body        TEXT    NOT NULL,
    body_length INTEGER GENERATED ALWAYS AS (length(body)) VIRTUAL
  );

  CREATE TABLE revisions (
    id          INTEGER PRIMARY KEY,
    message_id  INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    revised_at  INTEGER NOT NULL,
    old_body    TEXT    NOT NULL
  );

  CREATE TABLE attachments (
    id          INTEGER PRIMARY KEY,
    message_id  INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    file_name   TEXT    NOT NULL,
    media_type  TEXT    NOT NULL,
    content     BLOB    NOT NULL
  );

  CREATE TABLE reactions (
    message_id  INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    user_id     INTEGER NOT NULL REFERENCES users (id),
    emoji       TEXT    NOT NULL,
    reacted_at  REAL    NOT NULL,
    PRIMARY KEY (message_id, user_id, emoji)
  ) WITHOUT ROWID;

  CREATE VIRTUAL TABLE recent_search USING fts5 (body);
`;

/** Made once the rows are in: sorting once is far quicker than keeping order row by row. */
export const INDEXES = `
  CREATE INDEX messages_by_channel ON messages (channel_id, sent_at);
  CREATE INDEX messages_by_author ON messages (author_id, sent_at DESC);
  CREATE INDEX replies ON messages (reply_to) WHERE reply_to IS NOT NULL;
  CREATE INDEX attachments_by_message ON attachments (message_id, media_type);
  CREATE INDEX revisions_by_message ON revisions (message_id);
  CREATE UNIQUE INDEX users_by_email ON users (lower(email));
`;

export const TRIGGERS_AND_VIEWS = `
  CREATE TRIGGER message_edited AFTER UPDATE OF body ON messages WHEN old.body <> new.body BEGIN
    INSERT INTO revisions (message_id, revised_at, old_body) VALUES (old.id, new.edited_at, old.body);
    UPDATE recent_search SET body = new.body WHERE rowid = new.id;
  END;

  CREATE TRIGGER message_deleted AFTER DELETE ON messages BEGIN
    DELETE FROM recent_search WHERE rowid = old.id;
  END;

  CREATE TRIGGER message_sent AFTER INSERT ON messages BEGIN
    INSERT INTO recent_search (rowid, body) VALUES (new.id, new.body);
    UPDATE users SET last_seen_at = max(coalesce(last_seen_at, 0), new.sent_at) WHERE id = new.author_id;
  END;

  CREATE VIEW channel_activity AS
    SELECT c.name, strftime('%Y-%m', m.sent_at, 'unixepoch') AS month, count(*) AS messages, sum(m.body_length) AS characters
    FROM channels c JOIN messages m ON m.channel_id = c.id GROUP BY c.id, month;

  CREATE VIEW most_liked AS
    SELECT m.id, m.body, count(*) AS reactions FROM messages m JOIN reactions r ON r.message_id = m.id
    GROUP BY m.id ORDER BY reactions DESC LIMIT 100;
`;

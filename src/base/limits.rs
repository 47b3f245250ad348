//! Every limit on size, depth and count that more than one room needs.
//! Sources: Mastodon's size table (its FEDERATION.md) unless said otherwise.

/// Characters of a local post, as Mastodon counts them (a link is 23).
pub const STATUS_CHARACTERS_MAX: usize = 500;
/// What a link counts as.
pub const URL_CHARACTERS: usize = 23;
/// Characters of a username.
pub const USERNAME_CHARACTERS_MAX: usize = 30;
/// Characters of a display name.
pub const DISPLAY_NAME_CHARACTERS_MAX: usize = 30;
/// Characters of a profile's text.
pub const NOTE_CHARACTERS_MAX: usize = 500;
/// Fields of a local profile.
pub const PROFILE_FIELDS_MAX: usize = 4;
/// Characters of a field's name or value.
pub const PROFILE_FIELD_CHARACTERS_MAX: usize = 255;
/// Answers of a local poll: fewest and most.
pub const POLL_OPTIONS: (usize, usize) = (2, 4);
/// Characters of an answer of a local poll.
pub const POLL_OPTION_CHARACTERS_MAX: usize = 50;
/// How long a local poll may run, in seconds: shortest and longest (a month).
pub const POLL_RUNS_S: (u64, u64) = (300, 2_629_746);
/// Answers of a foreign poll that are kept.
pub const REMOTE_POLL_OPTIONS_MAX: usize = 20;
/// Bytes of an answer of a foreign poll.
pub const REMOTE_POLL_OPTION_MAX_BYTES: usize = 1024;
/// Shortest password.
pub const PASSWORD_BYTES_MIN: usize = 8;
/// Longest password; argon2 work grows with it.
pub const PASSWORD_BYTES_MAX: usize = 256;

/// Bytes of a request body on the pages and the API.
pub const BODY_MAX_BYTES: usize = 1024 * 1024;
/// Bytes of an activity posted to an inbox, and of any fetched document.
pub const ACTIVITY_MAX_BYTES: usize = 1024 * 1024;
/// Bytes of an uploaded picture.
pub const IMAGE_MAX_BYTES: usize = 16 * 1024 * 1024;
/// Pixels of an uploaded picture, before it is decoded.
pub const IMAGE_MAX_PIXELS: u64 = 40_000_000;
/// Bytes of an uploaded film or sound. It is held in memory while it comes in.
pub const FILM_MAX_BYTES: usize = 40 * 1024 * 1024;
/// Files that one post shows.
pub const MEDIA_PER_STATUS_MAX: usize = 4;
/// Characters of a file's description.
pub const DESCRIPTION_CHARACTERS_MAX: usize = 1500;
/// Nesting of foreign JSON.
pub const JSON_DEPTH_MAX: usize = 32;
/// Values in one foreign JSON document.
pub const JSON_NODES_MAX: usize = 10_000;

/// Bytes of a foreign username.
pub const REMOTE_USERNAME_MAX_BYTES: usize = 2048;
/// Bytes of a foreign display name.
pub const REMOTE_NAME_MAX_BYTES: usize = 2048;
/// Bytes of a foreign profile text.
pub const REMOTE_NOTE_MAX_BYTES: usize = 20 * 1024;
/// Bytes of a foreign post's HTML.
pub const REMOTE_CONTENT_MAX_BYTES: usize = 150 * 1024;
/// Fields of a foreign profile.
pub const REMOTE_FIELDS_MAX: usize = 50;
/// Mentions read from one foreign post.
pub const REMOTE_MENTIONS_MAX: usize = 100;
/// Tags read from one foreign post.
pub const REMOTE_TAGS_MAX: usize = 200;
/// Attachments read from one foreign post.
pub const REMOTE_ATTACHMENTS_MAX: usize = 16;
/// Bytes of a foreign alternative text.
pub const REMOTE_ALT_MAX_BYTES: usize = 10_000;
/// Objects fetched because of one activity.
pub const FETCH_BUDGET_OBJECTS: usize = 100;
/// Steps up a reply chain.
pub const ANCESTORS_MAX: usize = 64;

/// Items of a timeline page: default and most.
pub const PAGE_STATUSES: (usize, usize) = (20, 40);
/// Items of an account or notification page: default and most.
pub const PAGE_ACCOUNTS: (usize, usize) = (40, 80);
/// Statuses kept in a home timeline (Mastodon keeps 800).
pub const HOME_MAX_ROWS: usize = 800;

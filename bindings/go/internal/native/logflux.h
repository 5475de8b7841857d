/*
 * LogFlux for C: log lines that are sealed inside the application, and opened only by the holder
 * of the secret. Generated from crates/ffi by cbindgen; do not edit.
 *
 * What every function keeps to (ownership, NULL, errors, threads, fork) is in docs/c-conventions.md,
 * programs to begin with are in docs/c.md. Sections of the protocol, "PROTOCOL", are those of
 * docs/protocol.md.
 *
 * A library that was built without the client lacks logflux_config_… and logflux_client_…; see
 * logflux_build_info.
 */

#ifndef LOGFLUX_H
#define LOGFLUX_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/**
 * The major version of the header.
 */
#define LOGFLUX_VERSION_MAJOR 0

/**
 * The minor version of the header.
 */
#define LOGFLUX_VERSION_MINOR 1

/**
 * The patch version of the header.
 */
#define LOGFLUX_VERSION_PATCH 0

/**
 * How a call ended. The numbers are fixed: none is ever used for anything else.
 */
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
enum logflux_status : int32_t {
#else
enum {
#endif
  /**
   * It did what was asked.
   */
  LOGFLUX_STATUS_OK = 0,
  /**
   * An argument is NULL that must not be.
   */
  LOGFLUX_STATUS_NULL_ARGUMENT = 1,
  /**
   * A length or size is impossible: above PTRDIFF_MAX, or less than the least.
   */
  LOGFLUX_STATUS_INVALID_LENGTH = 2,
  /**
   * Text is not UTF-8.
   */
  LOGFLUX_STATUS_INVALID_UTF8 = 3,
  /**
   * A number is outside its range, such as an index.
   */
  LOGFLUX_STATUS_OUT_OF_RANGE = 4,
  /**
   * A secret is empty, or nothing but white space (PROTOCOL 3).
   */
  LOGFLUX_STATUS_INVALID_SECRET = 10,
  /**
   * A node is not 1 to 255 characters without control characters (PROTOCOL 2).
   */
  LOGFLUX_STATUS_INVALID_NODE = 11,
  /**
   * A level is not 1 to 8.
   */
  LOGFLUX_STATUS_INVALID_LEVEL = 12,
  /**
   * A timestamp is not RFC 3339, or outside the years 0001 to 9999.
   */
  LOGFLUX_STATUS_INVALID_TIMESTAMP = 13,
  /**
   * A mode is not 1, 2, 3, 4 or 128 (PROTOCOL 4).
   */
  LOGFLUX_STATUS_UNSUPPORTED_MODE = 14,
  /**
   * A salt has not 32 bytes.
   */
  LOGFLUX_STATUS_INVALID_SALT = 15,
  /**
   * An iv has not 12 bytes.
   */
  LOGFLUX_STATUS_INVALID_IV = 16,
  /**
   * A key policy is outside its bounds (PROTOCOL 6).
   */
  LOGFLUX_STATUS_INVALID_KEY_POLICY = 17,
  /**
   * A setting is missing or wrong; the error names it.
   */
  LOGFLUX_STATUS_INVALID_SETTING = 18,
  /**
   * A message has more bytes than an entry can hold: 786,416, or 786,384 in mode 128.
   */
  LOGFLUX_STATUS_MESSAGE_TOO_LONG = 20,
  /**
   * Bytes are no entry; the error has the stage and the field (PROTOCOL 2).
   */
  LOGFLUX_STATUS_INVALID_ENTRY = 21,
  /**
   * No secret opens the entry: it was sealed with another, or altered.
   */
  LOGFLUX_STATUS_AUTHENTICATION_FAILED = 22,
  /**
   * The message is authentic, but not UTF-8: open it as bytes.
   */
  LOGFLUX_STATUS_MESSAGE_NOT_UTF8 = 23,
  /**
   * A secret cannot be had: no variable is set, a file cannot be read, a command failed.
   */
  LOGFLUX_STATUS_SECRET_UNAVAILABLE = 30,
  /**
   * The file of the authority cannot be used.
   */
  LOGFLUX_STATUS_CA_FILE = 31,
  /**
   * The spool cannot be opened.
   */
  LOGFLUX_STATUS_SPOOL = 32,
  /**
   * Not everything was delivered, or durable, in time. Nothing was dropped: wait again.
   */
  LOGFLUX_STATUS_TIMEOUT = 33,
  /**
   * Messages were dropped since the client was built, so that no flush succeeds any more; the
   * error says how many.
   */
  LOGFLUX_STATUS_UNFLUSHED = 34,
  /**
   * The operating system gave no random bytes.
   */
  LOGFLUX_STATUS_RANDOM_FAILED = 40,
  /**
   * There is not enough memory for a memory-hard mode.
   */
  LOGFLUX_STATUS_OUT_OF_MEMORY = 41,
  /**
   * A fault of this library: please report it.
   */
  LOGFLUX_STATUS_INTERNAL = 50,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum logflux_status logflux_status;
#else
typedef int32_t logflux_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The severities of syslog plus one (PROTOCOL 2).
 */
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
enum logflux_level : uint32_t {
#else
enum {
#endif
  /**
   * The system is unusable.
   */
  LOGFLUX_LEVEL_EMERGENCY = 1,
  /**
   * Action must be taken at once.
   */
  LOGFLUX_LEVEL_ALERT = 2,
  /**
   * A critical condition.
   */
  LOGFLUX_LEVEL_CRITICAL = 3,
  /**
   * An error.
   */
  LOGFLUX_LEVEL_ERROR = 4,
  /**
   * A warning.
   */
  LOGFLUX_LEVEL_WARNING = 5,
  /**
   * Normal, but significant.
   */
  LOGFLUX_LEVEL_NOTICE = 6,
  /**
   * Informational.
   */
  LOGFLUX_LEVEL_INFO = 7,
  /**
   * For debugging.
   */
  LOGFLUX_LEVEL_DEBUG = 8,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum logflux_level logflux_level;
#else
typedef uint32_t logflux_level;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How an entry is sealed (PROTOCOL 4).
 */
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
enum logflux_mode : uint32_t {
#else
enum {
#endif
  /**
   * The standard: AES-256-GCM under a PBKDF2-HMAC-SHA256 key of 600,000 iterations.
   */
  LOGFLUX_MODE_PBKDF2 = 1,
  /**
   * Provisional: AES-256-GCM under a scrypt key.
   */
  LOGFLUX_MODE_SCRYPT = 2,
  /**
   * Provisional: AES-256-GCM under an Argon2id key.
   */
  LOGFLUX_MODE_ARGON2 = 3,
  /**
   * Provisional: ChaCha20-Poly1305 under an Argon2id key.
   */
  LOGFLUX_MODE_CHACHA20_ARGON2 = 4,
  /**
   * An extension: a key of its own for every entry at full speed, and authentic metadata.
   */
  LOGFLUX_MODE_HKDF = 128,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum logflux_mode logflux_mode;
#else
typedef uint32_t logflux_mode;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a key policy does in modes 1 to 4 (PROTOCOL 6).
 */
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
enum logflux_policy_kind : uint32_t {
#else
enum {
#endif
  /**
   * Every entry has its own salt and key; sealing waits where none is derived ahead.
   */
  LOGFLUX_POLICY_KIND_UNIQUE = 1,
  /**
   * Own keys while the budget lasts, and then shared ones; the default.
   */
  LOGFLUX_POLICY_KIND_ADAPTIVE = 2,
  /**
   * One key for all entries until a bound is met.
   */
  LOGFLUX_POLICY_KIND_BOUNDED = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum logflux_policy_kind logflux_policy_kind;
#else
typedef uint32_t logflux_policy_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a logging call does when the queue is full.
 */
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
enum logflux_when_full : uint32_t {
#else
enum {
#endif
  /**
   * The new message is dropped; the default.
   */
  LOGFLUX_WHEN_FULL_DROP_NEWEST = 0,
  /**
   * The oldest messages in the queue are dropped for it.
   */
  LOGFLUX_WHEN_FULL_DROP_OLDEST = 1,
  /**
   * The call waits until there is room. One in a callback of the client is dropped instead.
   */
  LOGFLUX_WHEN_FULL_BLOCK = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum logflux_when_full logflux_when_full;
#else
typedef uint32_t logflux_when_full;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What becomes of an entry for which a spool has no room.
 */
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
enum logflux_spool_full : uint32_t {
#else
enum {
#endif
  /**
   * The new entry is dropped; the default.
   */
  LOGFLUX_SPOOL_FULL_REFUSE = 0,
  /**
   * The oldest entries are dropped for it.
   */
  LOGFLUX_SPOOL_FULL_DROP_OLDEST = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum logflux_spool_full logflux_spool_full;
#else
typedef uint32_t logflux_spool_full;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Why a message was dropped: an index into logflux_dropped.by_reason.
 */
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
enum logflux_drop_reason : uint32_t {
#else
enum {
#endif
  /**
   * The queue was full.
   */
  LOGFLUX_DROP_REASON_QUEUE_FULL = 0,
  /**
   * The message is longer than an entry can hold.
   */
  LOGFLUX_DROP_REASON_TOO_LONG = 1,
  /**
   * The client was closed before, or before the message was delivered.
   */
  LOGFLUX_DROP_REASON_CLOSED = 2,
  /**
   * The server refused the entry for good; it is in the dead-letter file, where there is one.
   */
  LOGFLUX_DROP_REASON_REFUSED = 3,
  /**
   * Every attempt failed, and there is no spool.
   */
  LOGFLUX_DROP_REASON_UNDELIVERABLE = 4,
  /**
   * The spool was full, or its disk.
   */
  LOGFLUX_DROP_REASON_SPOOL_FULL = 5,
  /**
   * The system gave no random bytes or no memory to seal it.
   */
  LOGFLUX_DROP_REASON_UNSEALED = 6,
  /**
   * The spool could not read the entry back: its disk has damaged it.
   */
  LOGFLUX_DROP_REASON_SPOOL_DAMAGED = 7,
  /**
   * A thread of the client failed, which is a fault of the library. Another goes on.
   */
  LOGFLUX_DROP_REASON_WORKER_FAILED = 8,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum logflux_drop_reason logflux_drop_reason;
#else
typedef uint32_t logflux_drop_reason;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Bytes that functions append to, with a NUL after the last that does not count. Whatever it held is
 * zeroed when it is cleared, grows or is freed. One thread at a time may use it.
 */
typedef struct logflux_buffer logflux_buffer;

/**
 * Logs through one ingest API, as one node, with one secret. Any number of threads may log, flush,
 * close and read statistics at once. After fork the child logs through threads and keys of its own,
 * and sends nothing of its parent's.
 */
typedef struct logflux_client logflux_client;

/**
 * Everything that a client is set to. All but the server, the API key and the secret have defaults.
 * One thread at a time may use it.
 */
typedef struct logflux_config logflux_config;

/**
 * An entry that was read, without a secret (PROTOCOL 2).
 */
typedef struct logflux_entry logflux_entry;

/**
 * Why a call failed. No part of it holds a secret, a message, an API key or anything of a payload.
 */
typedef struct logflux_error logflux_error;

/**
 * A flush that has begun. Any number of threads may ask and wait at once. It outlives its client: a
 * client that ends settles all its messages. In a child of fork a ticket of the parent stays as it
 * was at the fork.
 */
typedef struct logflux_flush_ticket logflux_flush_ticket;

/**
 * One or more secrets, so that old entries stay readable after a rotation. Zeroed when it is freed.
 * One thread at a time may use it.
 */
typedef struct logflux_keyring logflux_keyring;

/**
 * The results of logflux_opener_open_many, one for every entry. Zeroed when it is freed.
 */
typedef struct logflux_opened logflux_opened;

/**
 * Opens entries with the secrets of a keyring. It remembers keys, and derives many at once on all
 * cores. Any number of threads may open at once.
 */
typedef struct logflux_opener logflux_opener;

/**
 * Seals messages under one secret, in one mode, spending key derivations by a policy. Any number of
 * threads may seal at once. After fork the child seals with salts and keys of its own.
 */
typedef struct logflux_sealer logflux_sealer;

/**
 * The passphrase or generated key from which every key is derived (PROTOCOL 3): UTF-8, taken exactly
 * as given. Zeroed when it is freed.
 */
typedef struct logflux_secret logflux_secret;

/**
 * A point in time in UTC, from year 0001 to 9999.
 */
typedef struct logflux_timestamp {
  /**
   * Whole seconds since 1970-01-01T00:00:00Z, negative before it.
   */
  int64_t seconds;
  /**
   * Nanoseconds on top of them, below 10^9.
   */
  uint32_t nanoseconds;
} logflux_timestamp;

/**
 * How a sealer spends key derivations in modes 1 to 4, of which each costs tens of milliseconds.
 * Mode 128 does not look at it. Where a policy is asked for, NULL is the default: adaptive, 0.1 of a
 * core, 65,536 entries, 60 s.
 */
typedef struct logflux_key_policy {
  /**
   * A logflux_policy_kind.
   */
  uint32_t kind;
  /**
   * Adaptive: the part of one core that derivation may use, above 0 and at most 1. Else ignored.
   */
  double budget;
  /**
   * Adaptive, bounded: how many entries may share a key, from 1 to 2^32 (bounded: 2^20).
   */
  uint64_t max_entries;
  /**
   * Adaptive, bounded: for how many milliseconds, from 1 (bounded: to 3,600,000).
   */
  uint64_t max_age_ms;
} logflux_key_policy;

/**
 * What a sealer has done in this process.
 */
typedef struct logflux_sealer_stats {
  /**
   * Entries that no other entry shares a key with.
   */
  uint64_t unique;
  /**
   * Entries that share their key with others.
   */
  uint64_t shared;
  /**
   * Keys derived from the secret.
   */
  uint64_t derivations;
  /**
   * How often sealing had to wait for a key.
   */
  uint64_t waits;
  /**
   * Keys that are derived ahead now.
   */
  uint64_t pool_level;
} logflux_sealer_stats;

/**
 * A piece of text or bytes: a pointer and a length. The pointer may be NULL where the length is 0.
 */
typedef struct logflux_slice {
  /**
   * The first byte.
   */
  const char *data;
  /**
   * How many bytes there are.
   */
  size_t length;
} logflux_slice;

/**
 * How many messages were dropped, by reason.
 */
typedef struct logflux_dropped {
  /**
   * How many in all.
   */
  uint64_t total;
  /**
   * How many for each logflux_drop_reason; what is beyond those is 0.
   */
  uint64_t by_reason[16];
} logflux_dropped;

/**
 * Is called when messages were dropped, with how many since the last call, at most once a second.
 * It runs on a thread of the client's, or inside logflux_client_free; see "Callbacks" in
 * docs/c-conventions.md for what it may do.
 */
typedef void (*logflux_drop_callback)(void *context,
                                      const struct logflux_dropped *dropped);

/**
 * A sentence about the client.
 */
typedef struct logflux_notice {
  /**
   * The sentence, in UTF-8. It ends with NUL, and is there for the call alone.
   */
  const char *sentence;
  /**
   * Its length in bytes, without the NUL.
   */
  size_t sentence_length;
} logflux_notice;

/**
 * Is called with a sentence when messages were dropped, and when something holds messages up, or
 * does so no more: the server refuses the API key, the server's limit is reached, the spool's disk is
 * full. The sentence has the cause. It runs on a thread of the client's, or inside
 * logflux_client_free; see "Callbacks" in docs/c-conventions.md for what it may do.
 */
typedef void (*logflux_notice_callback)(void *context,
                                        const struct logflux_notice *notice);

/**
 * What became of all messages of this process. At every read
 * accepted = delivered + dropped.total + pending + spooled.
 */
typedef struct logflux_client_stats {
  /**
   * Messages that were logged.
   */
  uint64_t accepted;
  /**
   * Entries that the server has taken, duplicates included.
   */
  uint64_t delivered;
  /**
   * Messages that wait in memory: to be sealed, to be sent, or for an answer.
   */
  uint64_t pending;
  /**
   * Entries that are durable in the spool and wait to be sent or for an answer.
   */
  uint64_t spooled;
  /**
   * Requests that were sent.
   */
  uint64_t requests;
  /**
   * Requests among them that carried entries again, after a failure.
   */
  uint64_t retries;
  /**
   * Bytes of request bodies that were sent.
   */
  uint64_t bytes;
  /**
   * Entries that were put into the dead-letter file.
   */
  uint64_t dead_letters;
  /**
   * Keys that were derived.
   */
  uint64_t derivations;
  /**
   * Messages that were dropped.
   */
  struct logflux_dropped dropped;
} logflux_client_stats;

/**
 * Is called with the statistics, on a thread of the client's or inside logflux_client_free; see
 * "Callbacks" in docs/c-conventions.md for what it may do.
 */
typedef void (*logflux_stats_callback)(void *context,
                                       const struct logflux_client_stats *stats);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library that runs, such as "0.1.0". It need not be freed.
 */
const char *logflux_version(void);

/**
 * The version of the library that runs, as major * 1,000,000 + minor * 1,000 + patch. The header's
 * own is LOGFLUX_VERSION_MAJOR, LOGFLUX_VERSION_MINOR and LOGFLUX_VERSION_PATCH.
 */
uint32_t logflux_version_number(void);

/**
 * What the library was built as, and which instructions it derives keys with on this machine, such
 * as "logflux 0.1.0, x86_64-unknown-linux-gnu, client, derivation by avx512". For people and bug
 * reports; it need not be freed.
 */
const char *logflux_build_info(void);

/**
 * A sentence for a status, such as "level must be 1 to 8". It is never NULL and need not be freed;
 * numbers that are no status have one as well.
 */
const char *logflux_status_text(int32_t status);

/**
 * The status that the call returned.
 */
logflux_status logflux_error_status(const struct logflux_error *error);

/**
 * What was wrong, in lower case and without a full stop, and what to do where that is known. It
 * lives as long as the error.
 */
const char *logflux_error_message(const struct logflux_error *error);

/**
 * The parameter, the entry's field, the setting or the environment variable that is at fault, or
 * NULL if no single one is. It lives as long as the error.
 */
const char *logflux_error_field(const struct logflux_error *error);

/**
 * Where on its way from bytes to a message an entry failed, by the names of the vectors: "json",
 * "field", "base64", "size", "mode", "authentication" or "utf8". NULL where no entry failed.
 */
const char *logflux_error_stage(const struct logflux_error *error);

/**
 * How many messages were dropped since the client was built, of those that were logged before the
 * flush. 0 where no flush or close failed.
 */
uint64_t logflux_error_dropped(const struct logflux_error *error);

/**
 * How many of the messages that were logged before the flush are still on their way. 0 where no
 * flush failed; a close leaves none.
 */
uint64_t logflux_error_left(const struct logflux_error *error);

/**
 * Frees an error. NULL is allowed.
 */
void logflux_error_free(struct logflux_error *error);

/**
 * Makes an empty buffer. To be ended with logflux_buffer_free.
 */
struct logflux_buffer *logflux_buffer_new(void);

/**
 * Where the bytes are, with a NUL after the last. Good until the buffer is changed or freed; never
 * NULL.
 */
const char *logflux_buffer_data(const struct logflux_buffer *buffer);

/**
 * How many bytes there are.
 */
size_t logflux_buffer_length(const struct logflux_buffer *buffer);

/**
 * Zeroes and forgets what the buffer holds, and keeps its room for the next.
 */
void logflux_buffer_clear(struct logflux_buffer *buffer);

/**
 * Zeroes and frees a buffer. NULL is allowed.
 */
void logflux_buffer_free(struct logflux_buffer *buffer);

/**
 * What the wall clock says now.
 */
logflux_status logflux_timestamp_now(struct logflux_timestamp *out,
                                     struct logflux_error **error);

/**
 * Reads RFC 3339 with any offset, such as "2024-01-17T10:30:45Z".
 */
logflux_status logflux_timestamp_parse(const char *text,
                                       size_t text_length,
                                       struct logflux_timestamp *out,
                                       struct logflux_error **error);

/**
 * Appends the canonical text: RFC 3339 with Z and the shortest exact fraction of 0, 3, 6 or 9
 * digits.
 */
logflux_status logflux_timestamp_format(const struct logflux_timestamp *timestamp,
                                        struct logflux_buffer *out,
                                        struct logflux_error **error);

/**
 * Takes a secret of at least one byte from memory. The caller's copy stays the caller's to zero.
 */
logflux_status logflux_secret_new(const char *secret,
                                  size_t secret_length,
                                  struct logflux_secret **out,
                                  struct logflux_error **error);

/**
 * logflux_secret_new for a C string.
 */
logflux_status logflux_secret_new_cstr(const char *secret,
                                       struct logflux_secret **out,
                                       struct logflux_error **error);

/**
 * Takes the secret that the environment names by exactly one of LOGFLUX_SECRET, LOGFLUX_SECRET_FILE
 * and LOGFLUX_SECRET_COMMAND (which is given to `sh -c`, and whose output is the secret; it may run for
 * LOGFLUX_SECRET_COMMAND_TIMEOUT, 30 s by default). No other thread may change the environment
 * meanwhile.
 */
logflux_status logflux_secret_from_env(struct logflux_secret **out,
                                       struct logflux_error **error);

/**
 * Reads a secret from a file. One line end at its end is the file's, not the secret's.
 */
logflux_status logflux_secret_from_file(const char *path,
                                        size_t path_length,
                                        struct logflux_secret **out,
                                        struct logflux_error **error);

/**
 * logflux_secret_from_file for a C string.
 */
logflux_status logflux_secret_from_file_cstr(const char *path,
                                             struct logflux_secret **out,
                                             struct logflux_error **error);

/**
 * Makes a new secret of 256 bits from the operating system's generator, written as 64 hexadecimal
 * digits.
 */
logflux_status logflux_secret_generate(struct logflux_secret **out,
                                       struct logflux_error **error);

/**
 * Gives the secret itself, to be kept in a safe place. It is not NUL-terminated, and lives as long
 * as the handle.
 */
logflux_status logflux_secret_expose(const struct logflux_secret *secret,
                                     const char **out_text,
                                     size_t *out_length,
                                     struct logflux_error **error);

/**
 * Zeroes and frees a secret. NULL is allowed.
 */
void logflux_secret_free(struct logflux_secret *secret);

/**
 * Seals one message in mode 1 under a salt and a key of its own, and appends the entry's canonical
 * JSON to `out`. It costs a whole key derivation, tens of milliseconds; a logflux_sealer spends
 * fewer. `message` is any bytes; text should be UTF-8. `timestamp` may be NULL, which is now.
 */
logflux_status logflux_seal(const struct logflux_secret *secret,
                            const char *node,
                            size_t node_length,
                            uint32_t level,
                            const struct logflux_timestamp *timestamp,
                            const char *message,
                            size_t message_length,
                            struct logflux_buffer *out,
                            struct logflux_error **error);

/**
 * logflux_seal for C strings.
 */
logflux_status logflux_seal_cstr(const struct logflux_secret *secret,
                                 const char *node,
                                 uint32_t level,
                                 const struct logflux_timestamp *timestamp,
                                 const char *message,
                                 struct logflux_buffer *out,
                                 struct logflux_error **error);

/**
 * Makes a sealer in a logflux_mode with a key policy (NULL is the default). Nothing is derived
 * before the first message.
 */
logflux_status logflux_sealer_new(const struct logflux_secret *secret,
                                  uint32_t mode,
                                  const struct logflux_key_policy *policy,
                                  struct logflux_sealer **out,
                                  struct logflux_error **error);

/**
 * Seals one message and appends the entry's canonical JSON to `out`. `message` is any bytes; text
 * should be UTF-8. `timestamp` may be NULL, which is now.
 */
logflux_status logflux_sealer_seal(const struct logflux_sealer *sealer,
                                   const char *node,
                                   size_t node_length,
                                   uint32_t level,
                                   const struct logflux_timestamp *timestamp,
                                   const char *message,
                                   size_t message_length,
                                   struct logflux_buffer *out,
                                   struct logflux_error **error);

/**
 * logflux_sealer_seal for C strings.
 */
logflux_status logflux_sealer_seal_cstr(const struct logflux_sealer *sealer,
                                        const char *node,
                                        uint32_t level,
                                        const struct logflux_timestamp *timestamp,
                                        const char *message,
                                        struct logflux_buffer *out,
                                        struct logflux_error **error);

/**
 * Tells what a sealer has done in this process. `out_size` is sizeof(*out).
 */
logflux_status logflux_sealer_get_stats(const struct logflux_sealer *sealer,
                                        struct logflux_sealer_stats *out,
                                        size_t out_size,
                                        struct logflux_error **error);

/**
 * Zeroes and frees a sealer. NULL is allowed.
 */
void logflux_sealer_free(struct logflux_sealer *sealer);

/**
 * Opens one entry of UTF-8 text, and appends its message to `out`. It costs a whole key derivation;
 * a logflux_opener remembers keys. `entry` is the JSON of one entry.
 */
logflux_status logflux_open(const struct logflux_secret *secret,
                            const char *entry,
                            size_t entry_length,
                            struct logflux_buffer *out,
                            struct logflux_error **error);

/**
 * logflux_open for a C string.
 */
logflux_status logflux_open_cstr(const struct logflux_secret *secret,
                                 const char *entry,
                                 struct logflux_buffer *out,
                                 struct logflux_error **error);

/**
 * Makes an opener. `keys` is how many keys it remembers, or 0 for 4,096; `threads` is how many
 * threads logflux_opener_open_many may use, or 0 for one per core, and 256 at most.
 */
logflux_status logflux_opener_new(const struct logflux_keyring *keyring,
                                  size_t keys,
                                  size_t threads,
                                  struct logflux_opener **out,
                                  struct logflux_error **error);

/**
 * Opens one entry of UTF-8 text, and appends its message to `out`.
 */
logflux_status logflux_opener_open(const struct logflux_opener *opener,
                                   const char *entry,
                                   size_t entry_length,
                                   struct logflux_buffer *out,
                                   struct logflux_error **error);

/**
 * logflux_opener_open for a C string.
 */
logflux_status logflux_opener_open_cstr(const struct logflux_opener *opener,
                                        const char *entry,
                                        struct logflux_buffer *out,
                                        struct logflux_error **error);

/**
 * Opens one entry whatever its message's bytes are, and appends them to `out`.
 */
logflux_status logflux_opener_open_bytes(const struct logflux_opener *opener,
                                         const char *entry,
                                         size_t entry_length,
                                         struct logflux_buffer *out,
                                         struct logflux_error **error);

/**
 * Opens many entries of UTF-8 text together: the keys of all distinct salts are derived at once, on
 * all cores. One that fails stands beside the others: `out` has a result for each, in their order.
 */
logflux_status logflux_opener_open_many(const struct logflux_opener *opener,
                                        const struct logflux_slice *entries,
                                        size_t count,
                                        struct logflux_opened **out,
                                        struct logflux_error **error);

/**
 * logflux_opener_open_many whatever the messages' bytes are.
 */
logflux_status logflux_opener_open_many_bytes(const struct logflux_opener *opener,
                                              const struct logflux_slice *entries,
                                              size_t count,
                                              struct logflux_opened **out,
                                              struct logflux_error **error);

/**
 * Zeroes and frees an opener. NULL is allowed.
 */
void logflux_opener_free(struct logflux_opener *opener);

/**
 * How many results there are: as many as entries were given.
 */
size_t logflux_opened_count(const struct logflux_opened *opened);

/**
 * Gives the message of the entry at `index`, or the failure with which it was not opened. The
 * message is not NUL-terminated, and lives as long as the handle.
 */
logflux_status logflux_opened_message(const struct logflux_opened *opened,
                                      size_t index,
                                      const char **out_message,
                                      size_t *out_length,
                                      struct logflux_error **error);

/**
 * Zeroes and frees results. NULL is allowed.
 */
void logflux_opened_free(struct logflux_opened *opened);

/**
 * Makes a keyring of the newest secret. `since` is since when that one seals, or NULL where that is
 * not known: an entry of a secret's time is tried with that one first.
 */
logflux_status logflux_keyring_new(const struct logflux_secret *newest,
                                   const struct logflux_timestamp *since,
                                   struct logflux_keyring **out,
                                   struct logflux_error **error);

/**
 * Adds a secret older than all others. `since` is since when it was in use, or NULL.
 */
logflux_status logflux_keyring_add_older(struct logflux_keyring *keyring,
                                         const struct logflux_secret *secret,
                                         const struct logflux_timestamp *since,
                                         struct logflux_error **error);

/**
 * How many secrets there are.
 */
size_t logflux_keyring_count(const struct logflux_keyring *keyring);

/**
 * Zeroes and frees a keyring. NULL is allowed.
 */
void logflux_keyring_free(struct logflux_keyring *keyring);

/**
 * Reads the JSON of one entry as an opener does: strictly, but fields that no entry has are ignored.
 */
logflux_status logflux_entry_parse(const char *entry,
                                   size_t entry_length,
                                   struct logflux_entry **out,
                                   struct logflux_error **error);

/**
 * Gives the sender's name. It is not NUL-terminated, and lives as long as the entry.
 */
logflux_status logflux_entry_node(const struct logflux_entry *entry,
                                  const char **out_node,
                                  size_t *out_length,
                                  struct logflux_error **error);

/**
 * The level, a logflux_level; 0 for NULL.
 */
uint32_t logflux_entry_level(const struct logflux_entry *entry);

/**
 * The mode, a logflux_mode; 0 for NULL.
 */
uint32_t logflux_entry_mode(const struct logflux_entry *entry);

/**
 * Gives the time.
 */
logflux_status logflux_entry_timestamp(const struct logflux_entry *entry,
                                       struct logflux_timestamp *out,
                                       struct logflux_error **error);

/**
 * Frees an entry. NULL is allowed.
 */
void logflux_entry_free(struct logflux_entry *entry);

/**
 * Makes a configuration with every other setting at its default. `server_url` begins with https://;
 * `api_key` is lf_ and 32 letters or digits.
 */
logflux_status logflux_config_new(const char *server_url,
                                  size_t server_url_length,
                                  const char *api_key,
                                  size_t api_key_length,
                                  const struct logflux_secret *secret,
                                  struct logflux_config **out,
                                  struct logflux_error **error);

/**
 * logflux_config_new for C strings.
 */
logflux_status logflux_config_new_cstr(const char *server_url,
                                       const char *api_key,
                                       const struct logflux_secret *secret,
                                       struct logflux_config **out,
                                       struct logflux_error **error);

/**
 * Makes the configuration that the environment names: LOGFLUX_SERVER_URL, LOGFLUX_API_KEY or
 * LOGFLUX_API_KEY_FILE, the secret as logflux_secret_from_env, and, where they are set, the other variables of
 * docs/settings.md. No other thread may change the environment meanwhile.
 */
logflux_status logflux_config_from_env(struct logflux_config **out,
                                       struct logflux_error **error);

/**
 * Sets the sender's name; that of the host by default.
 */
logflux_status logflux_config_set_node(struct logflux_config *config,
                                       const char *node,
                                       size_t node_length,
                                       struct logflux_error **error);

/**
 * logflux_config_set_node for a C string.
 */
logflux_status logflux_config_set_node_cstr(struct logflux_config *config,
                                            const char *node,
                                            struct logflux_error **error);

/**
 * Sets the proxy that requests go through, a URL that begins with http://, https://, socks5://
 * or socks5h://, or the word none for a direct connection; by default what HTTPS_PROXY,
 * ALL_PROXY and NO_PROXY say.
 */
logflux_status logflux_config_set_proxy(struct logflux_config *config,
                                        const char *proxy,
                                        size_t proxy_length,
                                        struct logflux_error **error);

/**
 * logflux_config_set_proxy for a C string.
 */
logflux_status logflux_config_set_proxy_cstr(struct logflux_config *config,
                                             const char *proxy,
                                             struct logflux_error **error);

/**
 * Sets for how many milliseconds one request may last, 1 to 86,400,000; 30,000 by default.
 */
logflux_status logflux_config_set_http_timeout(struct logflux_config *config,
                                               uint64_t timeout_ms,
                                               struct logflux_error **error);

/**
 * Sets how often a request is sent again after its first failure where there is no spool, 0 to
 * 1,000,000; for how many milliseconds the first pause and the longest last, 1 to 86,400,000, the
 * first at most as long as the longest; and by what the pause grows with every failure, 1 to 100.
 * 5, 500, 30,000 and 2 by default.
 */
logflux_status logflux_config_set_retry(struct logflux_config *config,
                                        uint32_t max_retries,
                                        uint64_t initial_delay_ms,
                                        uint64_t max_delay_ms,
                                        double backoff_factor,
                                        struct logflux_error **error);

/**
 * Sets for how many milliseconds a batch is tried at most where there is no spool, 0 to
 * 604,800,000; 300,000 by default.
 */
logflux_status logflux_config_set_retry_deadline(struct logflux_config *config,
                                                 uint64_t deadline_ms,
                                                 struct logflux_error **error);

/**
 * Sets how many messages, and how many bytes of them, may wait in memory: 1 to 16,000,000, 10,000
 * by default; and 1 to 68,719,476,736, 8,388,608 by default.
 */
logflux_status logflux_config_set_queue(struct logflux_config *config,
                                        size_t max_messages,
                                        size_t max_bytes,
                                        struct logflux_error **error);

/**
 * Sets what a logging call does when the queue is full, a logflux_when_full.
 */
logflux_status logflux_config_set_when_full(struct logflux_config *config,
                                            uint32_t when_full,
                                            struct logflux_error **error);

/**
 * Sets for how many milliseconds a message may wait for others to be sent with, 1 to 86,400,000;
 * 1,000 by default.
 */
logflux_status logflux_config_set_flush_interval(struct logflux_config *config,
                                                 uint64_t interval_ms,
                                                 struct logflux_error **error);

/**
 * Sets how many requests may be in flight at once, 1 to 16; 2 by default.
 */
logflux_status logflux_config_set_max_in_flight(struct logflux_config *config,
                                                size_t requests,
                                                struct logflux_error **error);

/**
 * Sets the encryption mode, a logflux_mode; 1, the standard, by default.
 */
logflux_status logflux_config_set_mode(struct logflux_config *config,
                                       uint32_t mode,
                                       struct logflux_error **error);

/**
 * Sets how key derivations are spent in modes 1 to 4; NULL is the default. Its bounds are checked
 * by logflux_client_new.
 */
logflux_status logflux_config_set_key_policy(struct logflux_config *config,
                                             const struct logflux_key_policy *policy,
                                             struct logflux_error **error);

/**
 * Sets the least severe logflux_level that is logged; debug, and so everything, by default.
 */
logflux_status logflux_config_set_min_level(struct logflux_config *config,
                                            uint32_t level,
                                            struct logflux_error **error);

/**
 * Sets for how many milliseconds the end of the process waits at most for a client that is not
 * freed, 0 to 86,400,000; 5,000 by default.
 */
logflux_status logflux_config_set_close_timeout(struct logflux_config *config,
                                                uint64_t timeout_ms,
                                                struct logflux_error **error);

/**
 * Zeroes and frees a configuration. NULL is allowed.
 */
void logflux_config_free(struct logflux_config *config);

/**
 * Sets the file of the authority to trust, in PEM, and then no other; the public ones by default.
 * The path is bytes as the system has them. It is read by logflux_client_new.
 */
logflux_status logflux_config_set_ca_file(struct logflux_config *config,
                                          const char *ca_file,
                                          size_t ca_file_length,
                                          struct logflux_error **error);

/**
 * logflux_config_set_ca_file for a C string.
 */
logflux_status logflux_config_set_ca_file_cstr(struct logflux_config *config,
                                               const char *ca_file,
                                               struct logflux_error **error);

/**
 * Sets the folder of a durable spool; by default there is none. With one, entries outlive the
 * process, and a flush makes them durable even while the server is away. The path is bytes as the
 * system has them.
 */
logflux_status logflux_config_set_spool_dir(struct logflux_config *config,
                                            const char *spool_dir,
                                            size_t spool_dir_length,
                                            struct logflux_error **error);

/**
 * logflux_config_set_spool_dir for a C string.
 */
logflux_status logflux_config_set_spool_dir_cstr(struct logflux_config *config,
                                                 const char *spool_dir,
                                                 struct logflux_error **error);

/**
 * Sets how many bytes the spool of one process may take, 1,048,576 to 1,099,511,627,776 (1 TiB),
 * 268,435,456 by default; and what becomes of an entry for which it has no room, a
 * logflux_spool_full.
 */
logflux_status logflux_config_set_spool(struct logflux_config *config,
                                        uint64_t max_bytes,
                                        uint32_t when_full,
                                        struct logflux_error **error);

/**
 * Sets for how many milliseconds a spooled entry may wait to be durable, 1 to 86,400,000; 100 by
 * default. A flush does not wait.
 */
logflux_status logflux_config_set_sync_interval(struct logflux_config *config,
                                                uint64_t interval_ms,
                                                struct logflux_error **error);

/**
 * Sets what is called when messages were dropped; NULL for none, which is the default, and then a
 * line goes to stderr, at most once a minute. `context` is handed to it, and must live until the
 * clients that are built from this config are freed.
 */
logflux_status logflux_config_set_on_drop(struct logflux_config *config,
                                          logflux_drop_callback callback,
                                          void *context,
                                          struct logflux_error **error);

/**
 * Sets what is called with every sentence about the client that would be a line on stderr: what was
 * dropped and why, and what holds messages up. NULL for none, which is the default; drops then go to
 * the callback of logflux_config_set_on_drop, if there is one, and everything else to stderr, each
 * sentence at most once a minute. `context` is handed to it, and must live until the clients that
 * are built from this config are freed.
 */
logflux_status logflux_config_set_on_notice(struct logflux_config *config,
                                            logflux_notice_callback callback,
                                            void *context,
                                            struct logflux_error **error);

/**
 * Keeps every sentence about the client that would be a line on stderr, until
 * logflux_client_take_notice fetches it, of 64 the newest. For runtimes that no thread of ours may call
 * into. False is the default; a callback of logflux_config_set_on_notice comes before it.
 */
logflux_status logflux_config_set_keep_notices(struct logflux_config *config,
                                               bool keep,
                                               struct logflux_error **error);

/**
 * Sets what is called with the statistics every `interval_ms` milliseconds, 10 to 86,400,000, once
 * the client has begun to work, and with the last ones by logflux_client_free; NULL for none, which
 * is the default. `context` is handed to it, and must live until the clients that are built from
 * this config are freed.
 */
logflux_status logflux_config_set_on_stats(struct logflux_config *config,
                                           uint64_t interval_ms,
                                           logflux_stats_callback callback,
                                           void *context,
                                           struct logflux_error **error);

/**
 * Makes the configuration that variables name, as logflux_config_from_env does with those of the
 * environment: for a program, or for a library of another language, that has its settings as text. A
 * variable is `NAME=value`, and ends with NUL; `variables_length` counts every byte of all. Of two with
 * one name the last counts, and names that no setting has are left out. Where `secret` is not NULL, the
 * variables of the secret are left out as well.
 *
 * The usual variables of proxies (HTTPS_PROXY and others) are still those of the environment.
 */
logflux_status logflux_config_from_variables(const char *variables,
                                             size_t variables_length,
                                             const struct logflux_secret *secret,
                                             struct logflux_config **out,
                                             struct logflux_error **error);

/**
 * Appends the oldest sentence about the client that was not fetched yet to `out`, for a client of
 * logflux_config_set_keep_notices; it appends nothing if all were fetched.
 */
logflux_status logflux_client_take_notice(const struct logflux_client *client,
                                          struct logflux_buffer *out,
                                          struct logflux_error **error);

/**
 * Builds a client. No thread is started and nothing is sent before the first message; a spool is
 * opened, and what it holds is sent with the first message. The config can be used again.
 *
 * A client that is not closed when the process calls exit or returns from main is flushed then,
 * within logflux_config_set_close_timeout (5 s by default) from the end's beginning; a handler of atexit that is registered after this call runs
 * before that. _exit, abort and a fatal signal flush nothing.
 */
logflux_status logflux_client_new(const struct logflux_config *config,
                                  struct logflux_client **out,
                                  struct logflux_error **error);

/**
 * Logs a message now. The call copies it into a queue and returns; it never waits for the network
 * or a key, unless LOGFLUX_WHEN_FULL_BLOCK was chosen. Where the queue is full the message is dropped and
 * counted, which is no failure of the call; one that is too long is both. Bytes that are not UTF-8
 * are logged as they are.
 */
logflux_status logflux_client_log(const struct logflux_client *client,
                                  uint32_t level,
                                  const char *message,
                                  size_t message_length);

/**
 * logflux_client_log for a C string.
 */
logflux_status logflux_client_log_cstr(const struct logflux_client *client,
                                       uint32_t level,
                                       const char *message);

/**
 * logflux_client_log with the time of the message; NULL is now.
 */
logflux_status logflux_client_log_at(const struct logflux_client *client,
                                     uint32_t level,
                                     const struct logflux_timestamp *timestamp,
                                     const char *message,
                                     size_t message_length,
                                     struct logflux_error **error);

/**
 * Whether a message of this level would be logged. It costs a few nanoseconds; use it where a
 * message is costly to put together.
 */
bool logflux_client_is_enabled(const struct logflux_client *client,
                               uint32_t level);

/**
 * How many milliseconds closing waits where no other time is given, as the setting close_timeout says. 0
 * for NULL.
 */
uint64_t logflux_client_close_timeout_ms(const struct logflux_client *client);

/**
 * Waits until all that was logged before is delivered, or, where there is a spool, durable in it.
 * It returns within `timeout_ms`, whatever the server does. LOGFLUX_STATUS_UNFLUSHED says that
 * messages were dropped since the client was built, and logflux_error_dropped how many;
 * LOGFLUX_STATUS_TIMEOUT says that nothing was dropped and the time was not enough. What is left,
 * logflux_error_left, stays in the queue or the spool. In a callback of the client it does not wait.
 */
logflux_status logflux_client_flush(const struct logflux_client *client,
                                    uint64_t timeout_ms,
                                    struct logflux_error **error);

/**
 * Flushes, and ends the client: later messages are dropped and counted. It returns within
 * `timeout_ms`. LOGFLUX_STATUS_UNFLUSHED says that messages were dropped since the client was
 * built, those included that were left when the time was over and are not durable in a spool;
 * logflux_error_dropped says how many. The handle still is to be freed.
 */
logflux_status logflux_client_close(const struct logflux_client *client,
                                    uint64_t timeout_ms,
                                    struct logflux_error **error);

/**
 * Tells what became of all messages of this process. `out_size` is sizeof(*out).
 */
logflux_status logflux_client_get_stats(const struct logflux_client *client,
                                        struct logflux_client_stats *out,
                                        size_t out_size,
                                        struct logflux_error **error);

/**
 * Appends what failed last, a call, the spool or the dead-letter file, to `out`; nothing where
 * nothing has failed.
 */
logflux_status logflux_client_last_failure(const struct logflux_client *client,
                                           struct logflux_buffer *out,
                                           struct logflux_error **error);

/**
 * Closes the client, if it was not, for which it waits 2 s at most; tells the callbacks
 * what they were not told of; and frees the handle. Call logflux_client_close before it for another
 * time. NULL is allowed.
 */
void logflux_client_free(struct logflux_client *client);

/**
 * Begins to flush, and does not wait: the ticket tells when every message that was logged before is
 * delivered, durable in the spool, or dropped.
 */
logflux_status logflux_client_flush_begin(const struct logflux_client *client,
                                          struct logflux_flush_ticket **out,
                                          struct logflux_error **error);

/**
 * Whether every message of the ticket is delivered, durable, or dropped. It takes no lock and costs
 * a few nanoseconds. False for NULL.
 */
bool logflux_flush_ticket_is_done(const struct logflux_flush_ticket *ticket);

/**
 * Waits until the ticket is done, for `timeout_ms` at most, and answers as logflux_client_flush
 * does. It may be called again. In a callback of the same client it does not wait.
 */
logflux_status logflux_flush_ticket_wait(const struct logflux_flush_ticket *ticket,
                                         uint64_t timeout_ms,
                                         struct logflux_error **error);

/**
 * Frees a ticket; the flush goes on. NULL is allowed.
 */
void logflux_flush_ticket_free(struct logflux_flush_ticket *ticket);

/**
 * Seals with another secret from the next message that is taken from the queue on. What is sealed
 * already keeps its bytes, in memory and in the spool: to open all, use a keyring of both secrets.
 * The secret can be freed after the call.
 *
 * This and the other functions of rotation may be called from any thread, also in a callback of the
 * client. They wait for no request, and derive no key. Where they fail, nothing is replaced. A child
 * of a later fork goes on with what was rotated; a process that exists already rotates for itself.
 */
logflux_status logflux_client_rotate_secret(const struct logflux_client *client,
                                            const struct logflux_secret *secret,
                                            struct logflux_error **error);

/**
 * Makes requests with another API key from now on. What waited because the old one was refused is
 * tried at once.
 */
logflux_status logflux_client_rotate_api_key(const struct logflux_client *client,
                                             const char *api_key,
                                             size_t api_key_length,
                                             struct logflux_error **error);

/**
 * logflux_client_rotate_api_key for a C string.
 */
logflux_status logflux_client_rotate_api_key_cstr(const struct logflux_client *client,
                                                  const char *api_key,
                                                  struct logflux_error **error);

/**
 * Trusts the authorities in this file, in PEM, and no others, from the next request on. The file is
 * read now, also where its path is the same as before. What waited because the server was not
 * trusted is tried at once. The path is bytes as the system has them.
 */
logflux_status logflux_client_rotate_ca_file(const struct logflux_client *client,
                                             const char *ca_file,
                                             size_t ca_file_length,
                                             struct logflux_error **error);

/**
 * logflux_client_rotate_ca_file for a C string.
 */
logflux_status logflux_client_rotate_ca_file_cstr(const struct logflux_client *client,
                                                  const char *ca_file,
                                                  struct logflux_error **error);

/**
 * Tells the library that this process was restored from a snapshot (of a virtual machine, by CRIU,
 * by Lambda SnapStart), and that other copies of it may run. Call it first of all after the restore,
 * before anything is logged or sealed; after fork it is not needed.
 *
 * Every entry that is sealed afterwards gets a key, a salt and an iv that were drawn afterwards, and
 * every request goes over a connection that was opened afterwards. All handles stay as they are:
 * clients go on with their queues, spools and threads. See "Copies of a process" in
 * docs/security-model.md.
 */
void logflux_after_restore(void);

/**
 * FOR TEST VECTORS ONLY: seals a message with a salt and an iv that are given, and appends the
 * entry's canonical JSON to `out`. Two messages under one salt and iv can both be read by anyone who
 * has the two entries, and forged ones can be made.
 */
logflux_status logflux_hazmat_seal_with_salt_and_iv(const struct logflux_secret *secret,
                                                    uint32_t mode,
                                                    const uint8_t *salt,
                                                    size_t salt_length,
                                                    const uint8_t *iv,
                                                    size_t iv_length,
                                                    const char *node,
                                                    size_t node_length,
                                                    uint32_t level,
                                                    const struct logflux_timestamp *timestamp,
                                                    const char *message,
                                                    size_t message_length,
                                                    struct logflux_buffer *out,
                                                    struct logflux_error **error);

/**
 * FOR TEST VECTORS ONLY: appends the 32 bytes that key the cipher of an entry with this salt to
 * `out`; in mode 128, the entry's own key.
 */
logflux_status logflux_hazmat_derive_key(const struct logflux_secret *secret,
                                         uint32_t mode,
                                         const uint8_t *salt,
                                         size_t salt_length,
                                         struct logflux_buffer *out,
                                         struct logflux_error **error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* LOGFLUX_H */

#if defined(__GNUC__) || defined(__clang__)
#define LOGFLUX_PRINTF_LIKE __attribute__((__format__(__printf__, 3, 4)))
#else
#define LOGFLUX_PRINTF_LIKE
#endif

#ifdef __cplusplus
#define LOGFLUX_CAST(type, value) static_cast<type>(value)
#else
#define LOGFLUX_CAST(type, value) ((type)(value))
#endif

/**
 * logflux_client_log for a printf format: logflux_client_logf(client, LOGFLUX_LEVEL_INFO, "user %d", id).
 * Nothing is formatted where the level is not logged. Never give a format that is not your own.
 */
LOGFLUX_PRINTF_LIKE static inline logflux_status
logflux_client_logf(const logflux_client *client, uint32_t level, const char *format, ...)
{
  char small[512];
  char *text = small;
  int length;
  va_list arguments;
  logflux_status status;

  if (!format) {
    return LOGFLUX_STATUS_NULL_ARGUMENT;
  }
  if (!logflux_client_is_enabled(client, level)) {
    /* Says what is wrong with the client or the level, if anything is. */
    return logflux_client_log(client, level, "", 0);
  }
  va_start(arguments, format);
  length = vsnprintf(small, sizeof small, format, arguments);
  va_end(arguments);
  if (length < 0) {
    return LOGFLUX_STATUS_INVALID_UTF8;
  }
  if (LOGFLUX_CAST(size_t, length) >= sizeof small) {
    text = LOGFLUX_CAST(char *, malloc(LOGFLUX_CAST(size_t, length) + 1));
    if (!text) {
      text = small;
      length = LOGFLUX_CAST(int, sizeof small) - 1;
    } else {
      va_start(arguments, format);
      (void)vsnprintf(text, LOGFLUX_CAST(size_t, length) + 1, format, arguments);
      va_end(arguments);
    }
  }
  status = logflux_client_log(client, level, text, LOGFLUX_CAST(size_t, length));
  if (text != small) {
    free(text);
  }
  return status;
}

#undef LOGFLUX_CAST

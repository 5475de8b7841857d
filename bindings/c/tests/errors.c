/* Reaches every status that C can reach, and looks at what the error says and that nothing was
 * written. With the argument "light", what sanitizers and valgrind do not bear is left out: a
 * process without random bytes, and one without memory. */

#define _GNU_SOURCE

#include "check.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static logflux_secret *secret;
static logflux_sealer *sealer;
static logflux_opener *opener;
static logflux_buffer *out;
static char *entry;
static int reached[64];

/* A failed call: its status, and the parameter or field that its error names. */
#define FAILS(expected, name, call)                                                               \
  do {                                                                                            \
    logflux_error *error = NULL;                                                                  \
    size_t before = logflux_buffer_length(out);                                                   \
    logflux_status status_ = (call);                                                              \
    const char *field_ = logflux_error_field(error);                                              \
    if (status_ != (expected) || strcmp(field_ == NULL ? "-" : field_, (name)) != 0) {            \
      fprintf(stderr, "%s:%d: status %d, field %s: %s\n", __FILE__, __LINE__, (int)status_,       \
              field_ == NULL ? "-" : field_, logflux_error_message(error));                       \
      exit(1);                                                                                    \
    }                                                                                             \
    CHECK(logflux_error_status(error) == status_);                                                \
    CHECK(strlen(logflux_error_message(error)) > 0);                                              \
    CHECK(strstr(logflux_error_message(error), "staple") == NULL);                                \
    CHECK(strstr(logflux_error_message(error), KEY) == NULL);                                     \
    CHECK(before == logflux_buffer_length(out));                                                  \
    reached[status_] = 1;                                                                         \
    logflux_error_free(error);                                                                    \
  } while (0)

#define S(name) LOGFLUX_STATUS_##name

/* What a flush or a close that failed says of messages. */
#define COUNTS(expected, lost, waiting, call)                                                     \
  do {                                                                                            \
    logflux_error *error = NULL;                                                                  \
    CHECK((call) == (expected));                                                                  \
    CHECK(logflux_error_dropped(error) == (lost) && logflux_error_left(error) == (waiting));      \
    logflux_error_free(error);                                                                    \
    reached[expected] = 1;                                                                        \
  } while (0)

static void arguments(void) {
  logflux_secret *none = NULL;
  logflux_secret *untouched = (logflux_secret *)&none;
  logflux_keyring *keyring = NULL;
  logflux_opened *opened = NULL;
  logflux_slice slices[2] = {{NULL, 0}, {NULL, 1}};
  const size_t huge = (size_t)PTRDIFF_MAX + 1;
  char bytes[] = {'a', (char)0xff, 'b'};

  FAILS(S(NULL_ARGUMENT), "out", logflux_secret_new(SECRET, 5, NULL, &error));
  FAILS(S(NULL_ARGUMENT), "secret", logflux_secret_new(NULL, 5, &untouched, &error));
  FAILS(S(NULL_ARGUMENT), "secret", logflux_secret_new_cstr(NULL, &untouched, &error));
  FAILS(S(INVALID_LENGTH), "secret", logflux_secret_new(NULL, huge, &untouched, &error));
  FAILS(S(INVALID_LENGTH), "secret", logflux_secret_new(SECRET, SIZE_MAX, &untouched, &error));
  FAILS(S(INVALID_UTF8), "secret", logflux_secret_new(bytes, 3, &untouched, &error));
  FAILS(S(INVALID_SECRET), "secret", logflux_secret_new(NULL, 0, &untouched, &error));
  FAILS(S(INVALID_SECRET), "secret", logflux_secret_new_cstr(" \t", &untouched, &error));
  CHECK(untouched == (logflux_secret *)&none);
  CHECK(logflux_secret_new(NULL, 5, NULL, NULL) == S(NULL_ARGUMENT));

  FAILS(S(NULL_ARGUMENT), "secret", logflux_seal_cstr(NULL, "n", 7, NULL, "m", out, &error));
  FAILS(S(NULL_ARGUMENT), "out", logflux_seal_cstr(secret, "n", 7, NULL, "m", NULL, &error));
  FAILS(S(NULL_ARGUMENT), "message", logflux_seal(secret, "n", 1, 7, NULL, NULL, 1, out, &error));
  FAILS(S(INVALID_LENGTH), "message",
        logflux_sealer_seal(sealer, "n", 1, 7, NULL, "m", huge, out, &error));
  FAILS(S(INVALID_UTF8), "node",
        logflux_sealer_seal(sealer, bytes, 3, 7, NULL, "m", 1, out, &error));
  FAILS(S(INVALID_NODE), "node", logflux_sealer_seal(sealer, NULL, 0, 7, NULL, "m", 1, out, &error));
  FAILS(S(INVALID_NODE), "node", logflux_sealer_seal_cstr(sealer, "a\nb", 7, NULL, "m", out, &error));
  FAILS(S(INVALID_LEVEL), "loglevel", logflux_sealer_seal_cstr(sealer, "n", 0, NULL, "m", out, &error));
  FAILS(S(INVALID_LEVEL), "loglevel",
        logflux_sealer_seal_cstr(sealer, "n", UINT32_MAX, NULL, "m", out, &error));
  {
    logflux_timestamp late = {INT64_MAX, 0}, odd = {0, 1000000000};
    FAILS(S(INVALID_TIMESTAMP), "timestamp",
          logflux_sealer_seal_cstr(sealer, "n", 7, &late, "m", out, &error));
    FAILS(S(INVALID_TIMESTAMP), "timestamp", logflux_timestamp_format(&odd, out, &error));
    FAILS(S(INVALID_TIMESTAMP), "timestamp", logflux_timestamp_parse("now", 3, &late, &error));
    CHECK(late.seconds == INT64_MAX);
  }
  {
    logflux_sealer *other = NULL;
    logflux_key_policy policy = {LOGFLUX_POLICY_KIND_ADAPTIVE, 2.0, 1, 1};
    FAILS(S(UNSUPPORTED_MODE), "encryption_mode", logflux_sealer_new(secret, 5, NULL, &other, &error));
    FAILS(S(INVALID_KEY_POLICY), "policy", logflux_sealer_new(secret, 1, &policy, &other, &error));
    policy.kind = 4;
    FAILS(S(INVALID_KEY_POLICY), "kind", logflux_sealer_new(secret, 1, &policy, &other, &error));
    CHECK(other == NULL);
  }
  {
    logflux_sealer_stats stats = {7, 7, 7, 7, 7};
    FAILS(S(INVALID_LENGTH), "out_size", logflux_sealer_get_stats(sealer, &stats, 8, &error));
    FAILS(S(NULL_ARGUMENT), "out", logflux_sealer_get_stats(sealer, NULL, 100, &error));
    CHECK(stats.unique == 7 && stats.pool_level == 7);
    OK(logflux_sealer_get_stats(sealer, &stats, sizeof stats, NULL));
    CHECK(stats.unique == 1);
  }
  {
    uint8_t salt[32] = {0}, iv[12] = {0};
    FAILS(S(INVALID_SALT), "salt", logflux_hazmat_derive_key(secret, 1, salt, 31, out, &error));
    FAILS(S(INVALID_IV), "iv",
          logflux_hazmat_seal_with_salt_and_iv(secret, 1, salt, 32, iv, 11, "n", 1, 7, NULL, "m", 1,
                                               out, &error));
  }
  {
    size_t length = 786385;
    char *message = calloc(length, 1);
    CHECK(message != NULL);
    FAILS(S(MESSAGE_TOO_LONG), "message",
          logflux_sealer_seal(sealer, "n", 1, 7, NULL, message, length, out, &error));
    OK(logflux_sealer_seal(sealer, "n", 1, 7, NULL, message, length - 1, out, NULL));
    logflux_buffer_clear(out);
    free(message);
  }

  FAILS(S(INVALID_ENTRY), "-", logflux_opener_open_cstr(opener, "{", out, &error));
  FAILS(S(INVALID_ENTRY), "node", logflux_opener_open_cstr(opener, "{}", out, &error));
  {
    logflux_opener *stranger = NULL;
    logflux_secret *other = NULL;
    OK(logflux_secret_new_cstr("another", &other, NULL));
    OK(logflux_keyring_new(other, NULL, &keyring, NULL));
    OK(logflux_opener_new(keyring, 1, 1, &stranger, NULL));
    FAILS(S(AUTHENTICATION_FAILED), "-", logflux_opener_open_cstr(stranger, entry, out, &error));
    OK(logflux_keyring_add_older(keyring, secret, NULL, NULL));
    CHECK(logflux_keyring_count(keyring) == 2);
    logflux_opener_free(stranger);
    OK(logflux_opener_new(keyring, 1, 1, &stranger, NULL));
    OK(logflux_opener_open_cstr(stranger, entry, out, NULL));
    CHECK(strcmp(logflux_buffer_data(out), "message") == 0);
    logflux_buffer_clear(out);
    logflux_opener_free(stranger);
    logflux_keyring_free(keyring);
    logflux_secret_free(other);
  }
  {
    logflux_buffer *sealed = logflux_buffer_new();
    OK(logflux_sealer_seal(sealer, "n", 1, 7, NULL, bytes, 3, sealed, NULL));
    FAILS(S(MESSAGE_NOT_UTF8), "-",
          logflux_opener_open(opener, logflux_buffer_data(sealed), logflux_buffer_length(sealed), out,
                              &error));
    OK(logflux_opener_open_bytes(opener, logflux_buffer_data(sealed), logflux_buffer_length(sealed),
                                 out, NULL));
    CHECK(logflux_buffer_length(out) == 3 && memcmp(logflux_buffer_data(out), bytes, 3) == 0);
    logflux_buffer_clear(out);
    logflux_buffer_free(sealed);
  }
  {
    const char *message = NULL;
    size_t length = 0;
    FAILS(S(NULL_ARGUMENT), "entries", logflux_opener_open_many(opener, slices, 2, &opened, &error));
    FAILS(S(INVALID_LENGTH), "entries",
          logflux_opener_open_many(opener, slices, SIZE_MAX / 8, &opened, &error));
    CHECK(opened == NULL);
    slices[1].data = entry;
    slices[1].length = strlen(entry);
    OK(logflux_opener_open_many(opener, slices, 2, &opened, NULL));
    CHECK(logflux_opened_count(opened) == 2);
    FAILS(S(INVALID_ENTRY), "-", logflux_opened_message(opened, 0, &message, &length, &error));
    FAILS(S(OUT_OF_RANGE), "index", logflux_opened_message(opened, 2, &message, &length, &error));
    CHECK(message == NULL && length == 0);
    OK(logflux_opened_message(opened, 1, &message, &length, NULL));
    CHECK(length == 7 && memcmp(message, "message", 7) == 0);
    logflux_opened_free(opened);
  }
}

static void secrets(void) {
  logflux_secret *none = NULL;
  unsetenv("LOGFLUX_SECRET");
  FAILS(S(SECRET_UNAVAILABLE), "-", logflux_secret_from_env(&none, &error));
  FAILS(S(SECRET_UNAVAILABLE), "-", logflux_secret_from_file_cstr("/nowhere/s", &none, &error));
  FAILS(S(INVALID_SETTING), "path", logflux_secret_from_file("a\0b", 3, &none, &error));
  setenv("LOGFLUX_SECRET", " ", 1);
  FAILS(S(INVALID_SECRET), "secret", logflux_secret_from_env(&none, &error));
  CHECK(none == NULL);
  setenv("LOGFLUX_SECRET", SECRET, 1);
  OK(logflux_secret_from_env(&none, NULL));
  {
    const char *text = NULL;
    size_t length = 0;
    FAILS(S(NULL_ARGUMENT), "out_length", logflux_secret_expose(none, &text, NULL, &error));
    CHECK(text == NULL);
    OK(logflux_secret_expose(none, &text, &length, NULL));
    CHECK(length == strlen(SECRET) && memcmp(text, SECRET, length) == 0);
  }
  logflux_secret_free(none);
}

static void add(void *context, const logflux_dropped *dropped) {
  *(uint64_t *)context += dropped->total;
}

typedef struct told {
  int calls;
  logflux_client_stats last;
} told_stats;

static void keep(void *context, const logflux_client_stats *stats) {
  told_stats *told = (told_stats *)context;
  told->calls++;
  told->last = *stats;
}

static void clients(void) {
  const char *url = "https://127.0.0.1:1";
  logflux_config *config = NULL;
  logflux_client *client = NULL;
  logflux_flush_ticket *ticket = NULL;
  logflux_client_stats stats;
  uint64_t told = 0;
  told_stats seen;

  memset(&seen, 0, sizeof seen);
  FAILS(S(INVALID_SETTING), "server_url",
        logflux_config_new_cstr("http://example.com", KEY, secret, &config, &error));
  FAILS(S(INVALID_SETTING), "api_key", logflux_config_new_cstr(url, "hunter2", secret, &config, &error));
  FAILS(S(NULL_ARGUMENT), "secret", logflux_config_new_cstr(url, KEY, NULL, &config, &error));
  unsetenv("LOGFLUX_SERVER_URL");
  FAILS(S(INVALID_SETTING), "LOGFLUX_SERVER_URL", logflux_config_from_env(&config, &error));
  FAILS(S(INVALID_SETTING), "LOGFLUX_SERVER_URL",
        logflux_config_from_variables("", 0, secret, &config, &error));
  FAILS(S(INVALID_SETTING), "variables",
        logflux_config_from_variables("no equals sign", 15, secret, &config, &error));
  FAILS(S(NULL_ARGUMENT), "variables", logflux_config_from_variables(NULL, 1, secret, &config, &error));
  FAILS(S(NULL_ARGUMENT), "config", logflux_config_set_keep_notices(NULL, true, &error));
  FAILS(S(NULL_ARGUMENT), "client", logflux_client_take_notice(NULL, NULL, &error));
  CHECK(logflux_client_close_timeout_ms(NULL) == 0);
  CHECK(config == NULL);
  OK(logflux_config_new_cstr(url, KEY, secret, &config, NULL));

  FAILS(S(INVALID_NODE), "node", logflux_config_set_node_cstr(config, "", &error));
  FAILS(S(INVALID_LEVEL), "loglevel", logflux_config_set_min_level(config, 9, &error));
  FAILS(S(UNSUPPORTED_MODE), "encryption_mode", logflux_config_set_mode(config, 0, &error));
  FAILS(S(INVALID_SETTING), "when_full", logflux_config_set_when_full(config, 3, &error));
  FAILS(S(INVALID_SETTING), "spool_when_full", logflux_config_set_spool(config, 1 << 20, 2, &error));
  FAILS(S(INVALID_SETTING), "spool_max_bytes", logflux_config_set_spool(config, 0, 0, &error));
  FAILS(S(INVALID_SETTING), "queue_size", logflux_config_set_queue(config, 0, 1, &error));
  FAILS(S(INVALID_SETTING), "queue_bytes", logflux_config_set_queue(config, 1, SIZE_MAX, &error));
  FAILS(S(INVALID_SETTING), "max_in_flight", logflux_config_set_max_in_flight(config, 17, &error));
  FAILS(S(INVALID_SETTING), "http_timeout", logflux_config_set_http_timeout(config, 0, &error));
  FAILS(S(INVALID_SETTING), "backoff_factor", logflux_config_set_retry(config, 1, 1, 1, 0.5, &error));
  FAILS(S(INVALID_SETTING), "max_delay",
        logflux_config_set_retry(config, 1, 1, UINT64_MAX, 1, &error));
  FAILS(S(INVALID_SETTING), "initial_delay",
        logflux_config_set_retry(config, 1, 2, 1, 1, &error));
  FAILS(S(INVALID_SETTING), "proxy", logflux_config_set_proxy_cstr(config, "ftp://p", &error));
  OK(logflux_config_set_proxy_cstr(config, "none", NULL));

  FAILS(S(NULL_ARGUMENT), "ca_file", logflux_config_set_ca_file(config, NULL, 1, &error));
  FAILS(S(NULL_ARGUMENT), "config", logflux_config_set_ca_file(NULL, "a", 1, &error));
  FAILS(S(INVALID_SETTING), "ca_file", logflux_config_set_ca_file(config, "a\0b", 3, &error));
  FAILS(S(INVALID_SETTING), "spool_dir", logflux_config_set_spool_dir(config, NULL, 0, &error));
  FAILS(S(INVALID_LENGTH), "spool_dir", logflux_config_set_spool_dir(config, "a", SIZE_MAX, &error));
  /* Bytes that are not UTF-8 are a path as well. */
  OK(logflux_config_set_ca_file(config, "/nowhere/\xff.pem", 14, NULL));
  FAILS(S(CA_FILE), "ca_file", logflux_client_new(config, &client, &error));
  logflux_config_free(config);
  OK(logflux_config_new_cstr(url, KEY, secret, &config, NULL));
  OK(logflux_config_set_spool_dir(config, "/proc/nowhere else", 13, NULL));
  FAILS(S(SPOOL), "spool_dir", logflux_client_new(config, &client, &error));
  logflux_config_free(config);
  OK(logflux_config_new_cstr(url, KEY, secret, &config, NULL));
  {
    logflux_key_policy policy = {LOGFLUX_POLICY_KIND_BOUNDED, 0, 0, 0};
    OK(logflux_config_set_key_policy(config, &policy, NULL));
    FAILS(S(INVALID_KEY_POLICY), "policy", logflux_client_new(config, &client, &error));
    OK(logflux_config_set_key_policy(config, NULL, NULL));
  }
  CHECK(client == NULL);

  OK(logflux_config_set_mode(config, LOGFLUX_MODE_HKDF, NULL));
  OK(logflux_config_set_min_level(config, LOGFLUX_LEVEL_INFO, NULL));
  FAILS(S(INVALID_SETTING), "retry_deadline",
        logflux_config_set_retry_deadline(config, UINT64_MAX, &error));
  FAILS(S(INVALID_SETTING), "stats_interval",
        logflux_config_set_on_stats(config, 9, keep, &seen, &error));
  OK(logflux_config_set_on_stats(config, 0, NULL, NULL, NULL));
  OK(logflux_config_set_on_drop(config, add, &told, NULL));
  FAILS(S(NULL_ARGUMENT), "config", logflux_config_set_on_stats(NULL, 1, keep, &seen, &error));
  OK(logflux_config_set_on_stats(config, 10, keep, &seen, NULL));
  OK(logflux_client_new(config, &client, NULL));
  CHECK(logflux_client_log(NULL, 7, "m", 1) == S(NULL_ARGUMENT));
  CHECK(logflux_client_log(client, 0, "m", 1) == S(INVALID_LEVEL));
  CHECK(logflux_client_log(client, 7, NULL, 1) == S(NULL_ARGUMENT));
  CHECK(logflux_client_log(client, 7, "m", SIZE_MAX) == S(INVALID_LENGTH));
  CHECK(logflux_client_log_cstr(client, 7, NULL) == S(NULL_ARGUMENT));
  CHECK(logflux_client_logf(client, 9, "%d", 1) == S(INVALID_LEVEL));
  {
    logflux_timestamp late = {INT64_MAX, 0};
    FAILS(S(INVALID_TIMESTAMP), "timestamp", logflux_client_log_at(client, 7, &late, "m", 1, &error));
  }
  OK(logflux_client_log(client, LOGFLUX_LEVEL_DEBUG, "not logged", 10));
  OK(logflux_client_logf(client, LOGFLUX_LEVEL_INFO, "user %d", 4711));
  OK(logflux_client_logf(client, LOGFLUX_LEVEL_INFO, "%0*d", 2000, 1));
  CHECK(logflux_client_is_enabled(client, 7) && !logflux_client_is_enabled(client, 8));
  FAILS(S(NULL_ARGUMENT), "client", logflux_client_flush_begin(NULL, &ticket, &error));
  FAILS(S(NULL_ARGUMENT), "out", logflux_client_flush_begin(client, NULL, &error));
  CHECK(ticket == NULL && !logflux_flush_ticket_is_done(NULL));
  FAILS(S(NULL_ARGUMENT), "ticket", logflux_flush_ticket_wait(NULL, 1, &error));
  OK(logflux_client_flush_begin(client, &ticket, NULL));
  COUNTS(S(TIMEOUT), 0, 2, logflux_flush_ticket_wait(ticket, 50, &error));
  CHECK(!logflux_flush_ticket_is_done(ticket));
  FAILS(S(TIMEOUT), "-", logflux_client_flush(client, 1500, &error));
  CHECK(logflux_error_dropped(NULL) == 0 && logflux_error_left(NULL) == 0);
  {
    size_t length = 800000;
    char *message = calloc(length, 1);
    CHECK(message != NULL);
    CHECK(logflux_client_log(client, 7, message, length) == S(MESSAGE_TOO_LONG));
    free(message);
  }
  /* No flush forgets it, but one that had begun before. */
  FAILS(S(UNFLUSHED), "-", logflux_client_flush(client, 50, &error));
  COUNTS(S(UNFLUSHED), 1, 2, logflux_client_flush(client, 0, &error));
  COUNTS(S(TIMEOUT), 0, 2, logflux_flush_ticket_wait(ticket, 0, &error));
  FAILS(S(INVALID_LENGTH), "out_size", logflux_client_get_stats(client, &stats, 8, &error));
  OK(logflux_client_get_stats(client, &stats, sizeof stats, NULL));
  CHECK(stats.accepted == 3 && stats.pending == 2 && stats.delivered == 0);
  CHECK(stats.dropped.total == 1 && stats.dropped.by_reason[LOGFLUX_DROP_REASON_TOO_LONG] == 1);
  /* A derivation takes seconds under valgrind; only after it is a call tried. */
  while (logflux_buffer_length(out) == 0) {
    CHECK(logflux_client_flush(client, 200, NULL) == S(UNFLUSHED));
    OK(logflux_client_last_failure(client, out, NULL));
  }
  CHECK(strstr(logflux_buffer_data(out), KEY) == NULL);
  logflux_buffer_clear(out);
  COUNTS(S(UNFLUSHED), 3, 0, logflux_client_close(client, 0, &error));
  /* It outlives the client. */
  COUNTS(S(UNFLUSHED), 2, 0, logflux_flush_ticket_wait(ticket, 60000, &error));
  OK(logflux_client_log_cstr(client, 7, "after the end"));
  logflux_client_free(client);
  CHECK(logflux_flush_ticket_is_done(ticket));
  logflux_flush_ticket_free(ticket);
  logflux_flush_ticket_free(NULL);
  logflux_config_free(config);
  CHECK(told == 4);
  /* Several times meanwhile, and with the last numbers at the end. */
  CHECK(seen.calls > 2 && seen.last.accepted == 4 && seen.last.dropped.total == 4);
  CHECK(seen.last.pending == 0 && seen.last.delivered == 0);
}

/* Runs a check in a process of its own. */
static void in_child(void (*check)(void)) {
  int status = 1;
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    check();
    _exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void without_random_bytes(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  struct rlimit no_files = {0, 0};
  logflux_secret *none = NULL;
  CHECK(setrlimit(RLIMIT_NOFILE, &no_files) == 0);
  CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
  FAILS(S(RANDOM_FAILED), "-", logflux_secret_generate(&none, &error));
  FAILS(S(RANDOM_FAILED), "-", logflux_seal_cstr(secret, "n", 7, NULL, "m", out, &error));
  CHECK(none == NULL);
}

static void without_memory(void) {
  struct rlimit little = {100 << 20, 100 << 20};
  uint8_t salt[32] = {0};
  CHECK(setrlimit(RLIMIT_AS, &little) == 0);
  FAILS(S(OUT_OF_MEMORY), "-",
        logflux_hazmat_derive_key(secret, LOGFLUX_MODE_SCRYPT, salt, 32, out, &error));
}

int main(int argc, char **argv) {
  logflux_keyring *keyring = NULL;
  const int light = argc > 1 && strcmp(argv[1], "light") == 0;
  size_t i;
  static const int all[] = {S(NULL_ARGUMENT),  S(INVALID_LENGTH),        S(INVALID_UTF8),
                            S(OUT_OF_RANGE),   S(INVALID_SECRET),        S(INVALID_NODE),
                            S(INVALID_LEVEL),  S(INVALID_TIMESTAMP),     S(UNSUPPORTED_MODE),
                            S(INVALID_SALT),   S(INVALID_IV),            S(INVALID_KEY_POLICY),
                            S(INVALID_SETTING), S(MESSAGE_TOO_LONG),     S(INVALID_ENTRY),
                            S(AUTHENTICATION_FAILED), S(MESSAGE_NOT_UTF8), S(SECRET_UNAVAILABLE),
                            S(CA_FILE),        S(SPOOL),                 S(TIMEOUT), S(UNFLUSHED)};

  OK(logflux_secret_new_cstr(SECRET, &secret, NULL));
  out = logflux_buffer_new();
  if (!light) {
    in_child(without_random_bytes);
    in_child(without_memory);
  }
  OK(logflux_sealer_new(secret, LOGFLUX_MODE_HKDF, NULL, &sealer, NULL));
  OK(logflux_keyring_new(secret, NULL, &keyring, NULL));
  OK(logflux_opener_new(keyring, 0, 0, &opener, NULL));
  OK(logflux_sealer_seal_cstr(sealer, "n", 7, NULL, "message", out, NULL));
  entry = malloc(logflux_buffer_length(out) + 1);
  CHECK(entry != NULL);
  strcpy(entry, logflux_buffer_data(out));
  logflux_buffer_clear(out);

  arguments();
  secrets();
  clients();
  for (i = 0; i < sizeof all / sizeof *all; i++) {
    CHECK(reached[all[i]]);
  }

  logflux_secret_free(NULL);
  logflux_sealer_free(NULL);
  logflux_opener_free(NULL);
  logflux_opened_free(NULL);
  logflux_keyring_free(NULL);
  logflux_entry_free(NULL);
  logflux_buffer_free(NULL);
  logflux_error_free(NULL);
  logflux_config_free(NULL);
  logflux_client_free(NULL);

  free(entry);
  logflux_buffer_free(out);
  logflux_opener_free(opener);
  logflux_keyring_free(keyring);
  logflux_sealer_free(sealer);
  logflux_secret_free(secret);
  printf("%zu statuses\n", i + (light ? 0 : 2));
  return 0;
}

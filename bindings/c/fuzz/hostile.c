/* Calls the interface with hostile arguments: NULL, lengths that cannot be, numbers that mean
 * nothing, bytes that are no text, handles in any order. The caller keeps to what cannot be checked
 * (docs/c-conventions.md, "Arguments"); everything else is the input's choice.
 *
 *   clang -g -fsanitize=fuzzer,address,undefined hostile.c $(pkg-config --cflags --libs logflux-static) */

#include <logflux.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                          \
  do {                                                                                            \
    if (!(condition)) {                                                                           \
      abort();                                                                                    \
    }                                                                                             \
  } while (0)

static const uint8_t *input;
static size_t left;

static uint8_t byte(void) {
  if (left == 0) {
    return 0;
  }
  left--;
  return *input++;
}

static uint64_t word(void) {
  uint64_t value = 0;
  int i;
  for (i = 0; i < 8; i++) {
    value = value << 8 | byte();
  }
  return value;
}

/* A number that is often near the ends of a range. */
static uint64_t number(void) {
  switch (byte() % 6) {
  case 0:
    return byte() % 10;
  case 1:
    return UINT64_MAX - byte() % 3;
  case 2:
    return (uint64_t)INT64_MAX + byte() % 3;
  case 3:
    return (uint64_t)UINT32_MAX + byte() % 3;
  case 4:
    return 128;
  default:
    return word();
  }
}

/* A pointer and a length: real bytes, nothing, or what must be refused. */
typedef struct piece {
  const char *data;
  size_t length;
} piece;

static piece text(void) {
  static const char *const good[] = {
      "n", "message", "https://127.0.0.1:1", "lf_0123456789abcdefABCDEF0123456789",
      "2024-01-17T10:30:45.5+01:00", "{\"node\":\"n\"}"};
  piece out = {NULL, 0};
  switch (byte() % 6) {
  case 0:
    return out;
  case 1:
    out.length = 1 + byte();
    return out;
  case 2:
    out.data = "x";
    out.length = (size_t)PTRDIFF_MAX + 1 + byte();
    return out;
  case 3:
    out.data = good[byte() % (sizeof good / sizeof *good)];
    out.length = strlen(out.data);
    return out;
  default:
    out.length = byte();
    if (out.length > left) {
      out.length = left;
    }
    out.data = (const char *)input;
    input += out.length;
    left -= out.length;
    return out;
  }
}

/* Handles: some are made anew, each may be NULL. */
static logflux_secret *secret;
static logflux_sealer *sealer;
static logflux_opener *opener;
static logflux_client *client;
static logflux_keyring *keyring;
static logflux_config *config;
/* No client is made of it, so that no file of the machine is touched. */
static logflux_config *unbuilt;
static logflux_entry *entry;
static logflux_opened *opened;
static logflux_buffer *buffer;
static logflux_flush_ticket *ticket;

#define MAYBE(handle) (byte() % 8 == 0 ? NULL : (handle))

static void drops(void *context, const logflux_dropped *dropped) {
  CHECK(context == &client && dropped != NULL);
}

static void notices(void *context, const logflux_notice *notice) {
  CHECK(context == &client && notice != NULL);
  CHECK(strlen(notice->sentence) == notice->sentence_length);
}

static void told(void *context, const logflux_client_stats *stats) {
  CHECK(context == &client && stats != NULL);
  CHECK(stats->accepted == stats->delivered + stats->dropped.total + stats->pending + stats->spooled);
}

/* An output: on failure it must be as it was. */
#define MAKE(type, handle, call)                                                                  \
  do {                                                                                            \
    type *made = (type *)&made;                                                                   \
    type **place = byte() % 8 == 0 ? NULL : &made;                                                \
    logflux_status status_ = (call);                                                              \
    if (status_ == LOGFLUX_STATUS_OK) {                                                           \
      CHECK(place != NULL && made != (type *)&made && made != NULL);                              \
      handle##_free_old();                                                                        \
      handle = made;                                                                              \
    } else {                                                                                      \
      CHECK(made == (type *)&made);                                                               \
    }                                                                                             \
    checked(status_, error);                                                                      \
  } while (0)

static void checked(logflux_status status, logflux_error *error) {
  CHECK(status != LOGFLUX_STATUS_INTERNAL);
  CHECK(logflux_status_text(status) != NULL);
  CHECK(logflux_error_status(error) == (error == NULL ? LOGFLUX_STATUS_OK : status));
  CHECK(logflux_error_message(error) != NULL);
  (void)logflux_error_field(error);
  (void)logflux_error_stage(error);
  CHECK(status == LOGFLUX_STATUS_TIMEOUT || status == LOGFLUX_STATUS_UNFLUSHED ||
        (logflux_error_dropped(error) == 0 && logflux_error_left(error) == 0));
  logflux_error_free(error);
}

static void keyring_free_old(void) { logflux_keyring_free(keyring); }
static void config_free_old(void) { logflux_config_free(config); }
static void entry_free_old(void) { logflux_entry_free(entry); }
static void ticket_free_old(void) { logflux_flush_ticket_free(ticket); }
static void opened_free_old(void) { logflux_opened_free(opened); }

static logflux_timestamp *timestamp(void) {
  static logflux_timestamp time;
  if (byte() % 2 == 0) {
    return NULL;
  }
  time.seconds = (int64_t)number();
  time.nanoseconds = (uint32_t)number();
  return &time;
}

static void one_call(void) {
  logflux_error *error = NULL;
  logflux_error **why = byte() % 4 == 0 ? NULL : &error;
  piece a = text(), b = text();
  logflux_buffer *out = MAYBE(buffer);
  size_t before = logflux_buffer_length(buffer);
  logflux_status status = LOGFLUX_STATUS_OK;

  switch (byte() % 33) {
  case 0: {
    logflux_secret *made = NULL;
    status = logflux_secret_new(a.data, a.length, MAYBE(&made), why);
    logflux_secret_free(made);
    break;
  }
  case 1: {
    logflux_timestamp time = {1, 1};
    status = logflux_timestamp_parse(a.data, a.length, MAYBE(&time), why);
    break;
  }
  case 2:
    status = logflux_timestamp_format(timestamp(), out, why);
    break;
  case 3:
    /* A real call would cost a derivation. */
    status = logflux_seal(NULL, a.data, a.length, (uint32_t)number(), timestamp(), b.data, b.length,
                          out, why);
    CHECK(status != LOGFLUX_STATUS_OK);
    break;
  case 4:
  case 5:
  case 6:
    status = logflux_sealer_seal(MAYBE(sealer), a.data, a.length, (uint32_t)number(), timestamp(),
                                 b.data, b.length, out, why);
    break;
  case 7: {
    logflux_sealer *made = NULL;
    logflux_key_policy policy = {(uint32_t)number(), (double)number() / 1e19, number(), number()};
    status = logflux_sealer_new(MAYBE(secret), (uint32_t)number(), MAYBE(&policy), MAYBE(&made), why);
    logflux_sealer_free(made);
    break;
  }
  case 8: {
    logflux_sealer_stats stats;
    status = logflux_sealer_get_stats(MAYBE(sealer), MAYBE(&stats), number() % (sizeof stats + 1), why);
    break;
  }
  case 9: {
    logflux_opener *made = NULL;
    status = logflux_opener_new(MAYBE(keyring), number(), number(), MAYBE(&made), why);
    logflux_opener_free(made);
    break;
  }
  case 10:
    status = logflux_opener_open(MAYBE(opener), a.data, a.length, out, why);
    break;
  case 11:
    status = logflux_opener_open_bytes(MAYBE(opener), a.data, a.length, out, why);
    break;
  case 12:
    status = logflux_open(MAYBE(secret), a.data, a.length, out, why);
    break;
  case 13: {
    logflux_slice slices[2];
    slices[0].data = a.data;
    slices[0].length = a.length;
    slices[1].data = b.data;
    slices[1].length = b.length;
    MAKE(logflux_opened, opened,
         logflux_opener_open_many(MAYBE(opener), slices, byte() % 3, place, why));
    return;
  }
  case 14: {
    const char *message = NULL;
    size_t length = 0;
    status = logflux_opened_message(MAYBE(opened), number(), MAYBE(&message), MAYBE(&length), why);
    CHECK(status == LOGFLUX_STATUS_OK || (message == NULL && length == 0));
    break;
  }
  case 15:
    MAKE(logflux_entry, entry, logflux_entry_parse(a.data, a.length, place, why));
    return;
  case 16: {
    const char *node = NULL;
    size_t length = 0;
    logflux_timestamp time;
    status = logflux_entry_node(MAYBE(entry), MAYBE(&node), MAYBE(&length), NULL);
    status = logflux_entry_timestamp(MAYBE(entry), MAYBE(&time), why);
    CHECK(logflux_entry_level(MAYBE(entry)) <= 8 && logflux_entry_mode(MAYBE(entry)) <= 128);
    break;
  }
  case 17:
    MAKE(logflux_keyring, keyring, logflux_keyring_new(MAYBE(secret), timestamp(), place, why));
    return;
  case 18:
    if (logflux_keyring_count(keyring) < 4) {
      status = logflux_keyring_add_older(MAYBE(keyring), MAYBE(secret), timestamp(), why);
    }
    break;
  case 19:
    MAKE(logflux_config, config,
         logflux_config_new(a.data, a.length, b.data, b.length, MAYBE(secret), place, why));
    return;
  case 20:
    status = logflux_config_set_node(MAYBE(config), a.data, a.length, why);
    break;
  case 21:
    status = logflux_config_set_retry(MAYBE(config), (uint32_t)number(), number(), number(),
                                      (double)number() / 1e9, why);
    break;
  case 22:
    switch (byte() % 17) {
    case 0:
      status = logflux_config_set_queue(MAYBE(config), number(), number(), why);
      break;
    case 1:
      status = logflux_config_set_spool(MAYBE(config), number(), (uint32_t)number(), why);
      break;
    case 2:
      status = logflux_config_set_when_full(MAYBE(config), (uint32_t)number(), why);
      break;
    case 3:
      status = logflux_config_set_mode(MAYBE(config), (uint32_t)number(), why);
      break;
    case 4:
      status = logflux_config_set_min_level(MAYBE(config), (uint32_t)number(), why);
      break;
    case 5:
      status = logflux_config_set_http_timeout(MAYBE(config), number(), why);
      break;
    case 6:
      status = logflux_config_set_max_in_flight(MAYBE(config), number(), why);
      break;
    case 7:
      status = logflux_config_set_ca_file(MAYBE(unbuilt), a.data, a.length, why);
      break;
    case 8:
      status = logflux_config_set_spool_dir(MAYBE(unbuilt), a.data, a.length, why);
      break;
    case 9:
      status = logflux_config_set_on_stats(MAYBE(config), number(), MAYBE(told), &client, why);
      break;
    case 10:
      status = logflux_config_set_proxy(MAYBE(unbuilt), a.data, a.length, why);
      break;
    case 11:
      status = logflux_config_set_close_timeout(MAYBE(unbuilt), number(), why);
      break;
    case 12:
      status = logflux_config_set_on_notice(MAYBE(config), MAYBE(notices), &client, why);
      break;
    case 13:
      status = logflux_config_set_keep_notices(MAYBE(config), byte() % 2, why);
      break;
    case 14:
      status = logflux_client_take_notice(MAYBE(client), MAYBE(buffer), why);
      break;
    case 15: {
      logflux_config *made = NULL;
      status = logflux_config_from_variables(a.data, a.length, MAYBE(secret), MAYBE(&made), why);
      logflux_config_free(made);
      break;
    }
    default:
      status = logflux_config_set_on_drop(MAYBE(config), MAYBE(drops), &client, why);
      break;
    }
    break;
  case 23: {
    logflux_client *made = NULL;
    status = logflux_client_new(MAYBE(config), MAYBE(&made), why);
    logflux_client_free(made);
    break;
  }
  case 24:
  case 25:
    status = logflux_client_log(MAYBE(client), (uint32_t)number(), a.data, a.length);
    break;
  case 26:
    status = logflux_client_log_at(MAYBE(client), (uint32_t)number(), timestamp(), a.data, a.length, why);
    break;
  case 27: {
    logflux_client_stats stats;
    status = logflux_client_get_stats(MAYBE(client), MAYBE(&stats), number() % (sizeof stats + 1), why);
    if (status == LOGFLUX_STATUS_OK) {
      CHECK(stats.accepted == stats.delivered + stats.dropped.total + stats.pending + stats.spooled);
    }
    break;
  }
  case 28:
    status = logflux_client_flush(MAYBE(client), 0, why);
    (void)logflux_client_is_enabled(MAYBE(client), (uint32_t)number());
    break;
  case 29:
    MAKE(logflux_flush_ticket, ticket, logflux_client_flush_begin(MAYBE(client), place, why));
    return;
  case 30:
    status = logflux_flush_ticket_wait(MAYBE(ticket), 0, why);
    CHECK(status != LOGFLUX_STATUS_OK || logflux_flush_ticket_is_done(ticket));
    break;
  case 31:
    status = logflux_client_rotate_secret(MAYBE(client), MAYBE(secret), NULL);
    checked(status, NULL);
    status = logflux_client_rotate_api_key(MAYBE(client), a.data, a.length, why);
    break;
  default:
    status = logflux_hazmat_derive_key(NULL, (uint32_t)number(), (const uint8_t *)a.data, a.length,
                                       out, why);
    break;
  }
  if (status != LOGFLUX_STATUS_OK) {
    CHECK(logflux_buffer_length(buffer) == before);
  }
  checked(status, error);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  buffer = logflux_buffer_new();
  CHECK(logflux_secret_generate(&secret, NULL) == LOGFLUX_STATUS_OK);
  CHECK(logflux_sealer_new(secret, LOGFLUX_MODE_HKDF, NULL, &sealer, NULL) == LOGFLUX_STATUS_OK);
  CHECK(logflux_keyring_new(secret, NULL, &keyring, NULL) == LOGFLUX_STATUS_OK);
  CHECK(logflux_opener_new(keyring, 0, 0, &opener, NULL) == LOGFLUX_STATUS_OK);
  CHECK(logflux_config_new_cstr("https://127.0.0.1:1", "lf_0123456789abcdefABCDEF0123456789", secret,
                                &unbuilt, NULL) == LOGFLUX_STATUS_OK);
  CHECK(logflux_config_set_queue(unbuilt, 10, 10000, NULL) == LOGFLUX_STATUS_OK);
  CHECK(logflux_config_set_mode(unbuilt, LOGFLUX_MODE_HKDF, NULL) == LOGFLUX_STATUS_OK);
  CHECK(logflux_config_set_on_drop(unbuilt, drops, &client, NULL) == LOGFLUX_STATUS_OK);
  CHECK(logflux_client_new(unbuilt, &client, NULL) == LOGFLUX_STATUS_OK);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input = data;
  left = size;
  while (left > 0) {
    one_call();
  }
  logflux_buffer_clear(buffer);
  return 0;
}

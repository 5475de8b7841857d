/* Does what lines of standard input ask, and says what came out, a line each. Bytes are hexadecimal,
 * and "-" is none.
 *
 *   open ID SECRET ENTRY                                              ID ok MESSAGE
 *   parse ID ENTRY                                                    ID ok -
 *   seal ID SECRET MODE SALT IV NODE LEVEL TIMESTAMP MESSAGE          ID ok ENTRY
 *   derive ID SECRET MODE SALT                                        ID ok KEY
 *                                                          where not: ID error STAGE          */

#define _POSIX_C_SOURCE 200809L

#include "kept.h"

static int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

static bytes unhex(const char *text) {
  bytes out = {NULL, 0};
  size_t i;
  CHECK(text != NULL);
  if (strcmp(text, "-") == 0) {
    return out;
  }
  out.length = strlen(text) / 2;
  out.data = malloc(out.length);
  CHECK(out.data != NULL);
  for (i = 0; i < out.length; i++) {
    out.data[i] = (char)(digit(text[2 * i]) * 16 + digit(text[2 * i + 1]));
  }
  return out;
}

/* A number for a parameter of 32 bits; what does not fit is as wrong as the greatest. */
static uint32_t number(const char *text) {
  unsigned long long value;
  CHECK(text != NULL);
  value = strtoull(text, NULL, 10);
  return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static char *word(void) { return strtok(NULL, " \n"); }

static logflux_status do_open(logflux_buffer *out, logflux_error **error) {
  logflux_status status = use_secret(unhex(word()), error);
  bytes entry = unhex(word());
  if (status == LOGFLUX_STATUS_OK) {
    status = logflux_opener_open(opener, entry.data, entry.length, out, error);
  }
  free(entry.data);
  return status;
}

static logflux_status do_parse(logflux_error **error) {
  bytes text = unhex(word());
  logflux_entry *entry = NULL;
  logflux_status status = logflux_entry_parse(text.data, text.length, &entry, error);
  logflux_entry_free(entry);
  free(text.data);
  return status;
}

static logflux_status do_seal(logflux_buffer *out, logflux_error **error) {
  logflux_status status = use_secret(unhex(word()), error);
  uint32_t mode = number(word());
  bytes salt = unhex(word()), iv = unhex(word()), node = unhex(word());
  uint32_t level = number(word());
  bytes time = unhex(word()), message = unhex(word());
  logflux_timestamp timestamp;
  if (status == LOGFLUX_STATUS_OK) {
    status = logflux_timestamp_parse(time.data, time.length, &timestamp, error);
  }
  if (status == LOGFLUX_STATUS_OK) {
    status = logflux_hazmat_seal_with_salt_and_iv(
        secret, mode, (const uint8_t *)salt.data, salt.length, (const uint8_t *)iv.data, iv.length,
        node.data, node.length, level, &timestamp, message.data, message.length, out, error);
  }
  free(salt.data);
  free(iv.data);
  free(node.data);
  free(time.data);
  free(message.data);
  return status;
}

static logflux_status do_derive(logflux_buffer *out, logflux_error **error) {
  logflux_status status = use_secret(unhex(word()), error);
  uint32_t mode = number(word());
  bytes salt = unhex(word());
  if (status == LOGFLUX_STATUS_OK) {
    status = logflux_hazmat_derive_key(secret, mode, (const uint8_t *)salt.data, salt.length, out,
                                       error);
  }
  free(salt.data);
  return status;
}

int main(void) {
  char *line = NULL;
  size_t room = 0;
  while (getline(&line, &room, stdin) > 0) {
    logflux_buffer *out = logflux_buffer_new();
    logflux_error *error = NULL;
    logflux_status status = LOGFLUX_STATUS_INTERNAL;
    const char *operation = strtok(line, " \n");
    const char *id = word();
    CHECK(operation != NULL && id != NULL);
    if (strcmp(operation, "open") == 0) {
      status = do_open(out, &error);
    } else if (strcmp(operation, "parse") == 0) {
      status = do_parse(&error);
    } else if (strcmp(operation, "seal") == 0) {
      status = do_seal(out, &error);
    } else if (strcmp(operation, "derive") == 0) {
      status = do_derive(out, &error);
    }
    CHECK(status != LOGFLUX_STATUS_INTERNAL);
    if (status == LOGFLUX_STATUS_OK) {
      const char *data = logflux_buffer_data(out);
      size_t i, length = logflux_buffer_length(out);
      printf("%s ok %s", id, length == 0 ? "-" : "");
      for (i = 0; i < length; i++) {
        printf("%02x", (unsigned char)data[i]);
      }
      printf("\n");
    } else {
      const char *stage = logflux_error_stage(error);
      CHECK(logflux_error_status(error) == status && logflux_buffer_length(out) == 0);
      printf("%s error %s\n", id, stage == NULL ? "-" : stage);
    }
    logflux_error_free(error);
    logflux_buffer_free(out);
  }
  free(line);
  free(known.data);
  forget_secret();
  return 0;
}

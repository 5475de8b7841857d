/* The subject of the C library: what `logflux certify` starts for include/logflux.h. */

#include "json.h"
#include "shipment.h"

static char known_secret[1 << 20]; /* in hexadecimal: that of the opener and the sealers */
static logflux_opener *opener;
static logflux_sealer *sealers[256];

/* Where something was refused; the library names the stage of entries, and a status for the rest. */
static void put_error(logflux_status status) {
  const char *stage = logflux_error_stage(error);
  if (stage == NULL && status >= LOGFLUX_STATUS_INVALID_NODE && status <= LOGFLUX_STATUS_INVALID_TIMESTAMP)
    stage = "field";
  if (status == LOGFLUX_STATUS_UNSUPPORTED_MODE) stage = "mode";
  if (status == LOGFLUX_STATUS_INVALID_SALT || status == LOGFLUX_STATUS_INVALID_IV ||
      status == LOGFLUX_STATUS_MESSAGE_TOO_LONG)
    stage = "size";
  if (stage == NULL) printf("\"error\":{\"stage\":null,\"message\":\"%s\"}", logflux_status_text(status));
  else printf("\"error\":{\"stage\":\"%s\"}", stage);
}

/* Another secret: openers and sealers are made anew when they are needed. */
static void forget(const char *secret_hex) {
  int i;
  if (strcmp(known_secret, secret_hex) == 0) return;
  snprintf(known_secret, sizeof known_secret, "%s", secret_hex);
  logflux_opener_free(opener);
  opener = NULL;
  for (i = 0; i < 256; i++) {
    logflux_sealer_free(sealers[i]);
    sealers[i] = NULL;
  }
}

static logflux_status open_entry(const char *json, logflux_secret *secret, logflux_buffer *out) {
  bytes entry = unbase64(json, "entry_b64");
  logflux_keyring *keyring = NULL;
  logflux_status status = LOGFLUX_STATUS_OK;
  if (opener == NULL && (status = logflux_keyring_new(secret, NULL, &keyring, &error)) == 0) {
    status = logflux_opener_new(keyring, 0, 1, &opener, &error);
    logflux_keyring_free(keyring);
  }
  if (status == 0) status = logflux_opener_open(opener, entry.data, entry.length, out, &error);
  free(entry.data);
  return status;
}

static logflux_status seal(const char *json, logflux_secret *secret, logflux_buffer *out) {
  bytes node = text(json, "node"), message = unhex(json, "message_hex"), time = text(json, "timestamp");
  uint32_t mode = (uint32_t)number(json, "mode"), level = (uint32_t)number(json, "loglevel");
  logflux_key_policy policy = {LOGFLUX_POLICY_KIND_UNIQUE, 0, 0, 0};
  logflux_timestamp moment;
  logflux_status status = logflux_timestamp_parse(time.data, time.length, &moment, &error);
  if (status == 0 && find(json, "salt_hex") != NULL) {
    bytes salt = unhex(json, "salt_hex"), iv = unhex(json, "iv_hex");
    status = logflux_hazmat_seal_with_salt_and_iv(
        secret, mode, (uint8_t *)salt.data, salt.length, (uint8_t *)iv.data, iv.length, node.data,
        node.length, level, &moment, message.data, message.length, out, &error);
    free(salt.data);
    free(iv.data);
  } else if (status == 0) {
    logflux_sealer **sealer = &sealers[mode & 255];
    if (*sealer == NULL) status = logflux_sealer_new(secret, mode, &policy, sealer, &error);
    if (status == 0)
      status = logflux_sealer_seal(*sealer, node.data, node.length, level, &moment, message.data,
                                   message.length, out, &error);
  }
  free(node.data);
  free(message.data);
  free(time.data);
  return status;
}

static void answer(const char *json, const char *op, logflux_buffer *out) {
  bytes hex = text(json, "secret_hex"), given = unhex(json, "secret_hex"), salt;
  logflux_secret *secret = NULL;
  logflux_entry *entry = NULL;
  logflux_status status = LOGFLUX_STATUS_OK;
  if (hex.data != NULL) {
    forget(hex.data);
    status = logflux_secret_new(given.data, given.length, &secret, &error);
  }
  if (status != 0) put_error(status);
  else if (strcmp(op, "hello") == 0)
    printf("\"ok\":{\"name\":\"logflux (C library)\",\"version\":\"%s\",\"language\":\"C\",\"operations\":[\"open\","
           "\"parse\",\"seal\",\"derive\",\"ship\"],\"modes\":[1,2,3,4,128],\"key_policy\":\"unique\"}", logflux_version());
  else if (strcmp(op, "open") == 0)
    (status = open_entry(json, secret, out)) == 0 ? put_hex("message_hex", out) : put_error(status);
  else if (strcmp(op, "seal") == 0)
    (status = seal(json, secret, out)) == 0 ? put_base64("entry_b64", out) : put_error(status);
  else if (strcmp(op, "derive") == 0) {
    salt = unhex(json, "salt_hex");
    status = logflux_hazmat_derive_key(secret, (uint32_t)number(json, "mode"), (uint8_t *)salt.data,
                                       salt.length, out, &error);
    status == 0 ? put_hex("key_hex", out) : put_error(status);
    free(salt.data);
  } else {
    if (strcmp(op, "parse") == 0) {
      bytes data = unbase64(json, "entry_b64");
      status = logflux_entry_parse(data.data, data.length, &entry, &error);
      free(data.data);
    } else if (strcmp(op, "ship") == 0) status = ship(json, secret);
    else if (strcmp(op, "flush") == 0) status = flush(json);
    if (status == 0) printf("\"ok\":{}");
    else put_error(status);
  }
  logflux_entry_free(entry);
  logflux_secret_free(secret);
  free(hex.data);
  free(given.data);
}

int main(void) {
  char *line = NULL;
  size_t room = 0;
  int stop = 0;
  while (!stop && getline(&line, &room, stdin) > 0) {
    bytes op = text(line, "op");
    logflux_buffer *out = logflux_buffer_new();
    printf("{\"id\":%" PRIu64 ",", number(line, "id"));
    answer(line, op.data, out);
    printf("}\n");
    fflush(stdout);
    stop = strcmp(op.data, "stop") == 0;
    logflux_buffer_free(out);
    logflux_error_free(error);
    error = NULL;
    free(op.data);
  }
  forget("");
  free(line);
  return 0;
}

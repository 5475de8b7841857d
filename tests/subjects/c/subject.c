/* The subject of the C library: what `logflux certify` starts for include/logflux.h. */

#include "json/json.h"
#include "logflux.h"

/* The secret of the last request, and what opens and seals with it. */
static struct {
  json_t *given;
  logflux_secret *secret;
  logflux_opener *opener;
  logflux_sealer *sealers[256];
} known;
static logflux_client *client;
static logflux_error *error;

/* Where something was refused; the library names the stage of entries, and a status for the rest. */
static const char *stage(logflux_status status) {
  if (status == LOGFLUX_STATUS_UNSUPPORTED_MODE) return "mode";
  if (status >= LOGFLUX_STATUS_INVALID_NODE && status <= LOGFLUX_STATUS_INVALID_TIMESTAMP) return "field";
  if (status == LOGFLUX_STATUS_INVALID_SALT || status == LOGFLUX_STATUS_INVALID_IV) return "size";
  return status == LOGFLUX_STATUS_MESSAGE_TOO_LONG ? "size" : logflux_error_stage(error);
}

/* Another secret: everything is made anew, sealers when they are needed. */
static logflux_status remember(json_t *given) {
  logflux_keyring *keyring = NULL;
  logflux_status status;
  int i;
  if (given == NULL || json_equal(known.given, given)) return LOGFLUX_STATUS_OK;
  json_decref(known.given);
  logflux_secret_free(known.secret);
  logflux_opener_free(known.opener);
  for (i = 0; i < 256; i++) logflux_sealer_free(known.sealers[i]);
  memset(&known, 0, sizeof known);
  status = logflux_secret_new(json_string_value(given), json_string_length(given), &known.secret, &error);
  if (status == 0) status = logflux_keyring_new(known.secret, NULL, &keyring, &error);
  if (status == 0) status = logflux_opener_new(keyring, 0, 1, &known.opener, &error);
  if (status == 0) known.given = json_incref(given);
  logflux_keyring_free(keyring);
  return status;
}

static logflux_status parse(bytes text) {
  logflux_entry *entry = NULL;
  logflux_status status = logflux_entry_parse(text.data, text.length, &entry, &error);
  logflux_entry_free(entry);
  return status;
}

static logflux_status seal(const json_t *request, logflux_buffer *out) {
  bytes node = json_text(request, "node"), message = json_text(request, "message_hex");
  bytes time = json_text(request, "timestamp"), salt = json_text(request, "salt_hex");
  bytes iv = json_text(request, "iv_hex");
  uint32_t mode = json_number(request, "mode"), level = json_number(request, "loglevel");
  logflux_key_policy policy = {LOGFLUX_POLICY_KIND_UNIQUE, 0, 0, 0};
  logflux_sealer **sealer = &known.sealers[mode & 255];
  logflux_timestamp moment;
  logflux_status status = logflux_timestamp_parse(time.data, time.length, &moment, &error);
  if (status == 0 && salt.data != NULL)
    return logflux_hazmat_seal_with_salt_and_iv(
        known.secret, mode, (const uint8_t *)salt.data, salt.length, (const uint8_t *)iv.data, iv.length,
        node.data, node.length, level, &moment, message.data, message.length, out, &error);
  if (status == 0 && *sealer == NULL) status = logflux_sealer_new(known.secret, mode, &policy, sealer, &error);
  if (status == 0)
    status = logflux_sealer_seal(*sealer, node.data, node.length, level, &moment, message.data,
                                 message.length, out, &error);
  return status;
}

static logflux_status ship(const json_t *request) {
  const char *url = json_text(request, "endpoint").data, *key = json_text(request, "api_key").data;
  const char *ca = json_text(request, "ca_file").data, *node = json_text(request, "node").data;
  const json_t *hints = json_object_get(request, "hints");
  uint64_t initial = json_number(hints, "initial_delay_ms"), max = json_number(hints, "max_delay_ms");
  uint64_t interval = json_number(hints, "flush_interval_ms");
  json_t *message;
  size_t i;
  logflux_config *config = NULL;
  logflux_status status = logflux_config_new_cstr(url, key, known.secret, &config, &error);
  if (status == 0) status = logflux_config_set_ca_file_cstr(config, ca, &error);
  if (status == 0) status = logflux_config_set_node_cstr(config, node, &error);
  if (status == 0) status = logflux_config_set_mode(config, json_number(request, "mode"), &error);
  if (status == 0) status = logflux_config_set_retry(config, 5, initial, max, 2, &error);
  if (status == 0) status = logflux_config_set_flush_interval(config, interval, &error);
  if (status == 0) status = logflux_client_new(config, &client, &error);
  logflux_config_free(config);
  json_array_foreach(json_object_get(request, "messages"), i, message) {
    bytes text = json_text(message, "message_hex");
    uint32_t level = json_number(message, "loglevel");
    if (status == 0) status = logflux_client_log(client, level, text.data, text.length);
  }
  return status;
}

static logflux_status flush(uint64_t timeout_ms) {
  logflux_client_stats stats = {0};
  logflux_status status = logflux_client_close(client, timeout_ms, &error);
  if (status == 0) status = logflux_client_get_stats(client, &stats, sizeof stats, &error);
  logflux_client_free(client);
  client = NULL;
  return status != 0 || stats.dropped.total == 0 ? status : LOGFLUX_STATUS_TIMEOUT;
}

/* Does what is asked. */
static logflux_status run(const char *op, const json_t *request, logflux_buffer *out) {
  bytes entry = json_text(request, "entry_b64"), salt = json_text(request, "salt_hex");
  logflux_status status = remember(json_object_get(request, "secret_hex"));
  if (status != 0) return status;
  if (strcmp(op, "open") == 0) return logflux_opener_open(known.opener, entry.data, entry.length, out, &error);
  if (strcmp(op, "parse") == 0) return parse(entry);
  if (strcmp(op, "seal") == 0) return seal(request, out);
  if (strcmp(op, "derive") == 0)
    return logflux_hazmat_derive_key(known.secret, json_number(request, "mode"), (const uint8_t *)salt.data,
                                     salt.length, out, &error);
  if (strcmp(op, "ship") == 0) return ship(request);
  if (strcmp(op, "flush") == 0) return flush(json_number(request, "timeout_ms"));
  return LOGFLUX_STATUS_OK;
}

/* What it answers where it was done. */
static json_t *parts(const char *op, const logflux_buffer *out) {
  bytes done = {logflux_buffer_data(out), logflux_buffer_length(out)};
  if (strcmp(op, "open") == 0) return json_encoded("message_hex", done);
  if (strcmp(op, "seal") == 0) return json_encoded("entry_b64", done);
  if (strcmp(op, "derive") == 0) return json_encoded("key_hex", done);
  if (strcmp(op, "hello") != 0) return json_object();
  return json_pack("{s:s, s:s, s:s, s:[s,s,s,s,s], s:[i,i,i,i,i], s:s}", "name", "logflux (C library)",
                   "version", logflux_version(), "language", "C", "operations", "open", "parse", "seal",
                   "derive", "ship", "modes", 1, 2, 3, 4, 128, "key_policy", "unique");
}

int main(void) {
  json_t *request, *answer;
  while ((request = json_read(stdin)) != NULL) {
    const char *op = json_text(request, "op").data;
    logflux_buffer *out = logflux_buffer_new();
    logflux_status status = run(op, request, out);
    answer = status == 0 ? json_pack("{s:o}", "ok", parts(op, out))
                         : json_pack("{s:{s:s?}}", "error", "stage", stage(status));
    json_object_set(answer, "id", json_object_get(request, "id"));
    json_write(answer, stdout);
    if (strcmp(op, "stop") == 0) return 0;
    json_decref(answer);
    json_decref(request);
    logflux_buffer_free(out);
    logflux_error_free(error);
    error = NULL;
  }
  return 0;
}

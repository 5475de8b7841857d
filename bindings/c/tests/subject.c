/* The subject of the C library: `logflux certify -- subject` starts it. It reads a request a line, and
 * answers each. */

#define _POSIX_C_SOURCE 200809L

#include "json.h"

#define ABOUT                                                                                     \
  "\"name\":\"liblogflux\",\"language\":\"C\",\"operations\":[\"open\",\"parse\",\"seal\",\"derive\"," \
  "\"ship\"],\"modes\":[1,2,3,4,128],\"key_policy\":\"unique\""

static char *request;
static logflux_client *client;
static uint32_t known_mode;

static logflux_status seal(logflux_buffer *out, logflux_error **error) {
  const logflux_key_policy policy = {LOGFLUX_POLICY_KIND_UNIQUE, 0, 0, 0};
  const uint32_t mode = number(request, "mode"), level = number(request, "loglevel");
  bytes node = text(request, "node"), time = text(request, "timestamp"), iv = hex(request, "iv_hex");
  bytes salt = hex(request, "salt_hex"), message = hex(request, "message_hex");
  logflux_timestamp at;
  logflux_status status = logflux_timestamp_parse(time.data, time.length, &at, error);
  if (status == LOGFLUX_STATUS_OK && salt.data == NULL && (sealer == NULL || mode != known_mode)) {
    logflux_sealer_free(sealer);
    sealer = NULL, known_mode = mode;
    status = logflux_sealer_new(secret, mode, &policy, &sealer, error);
  }
  if (status == LOGFLUX_STATUS_OK) {
    status = salt.data == NULL
                 ? logflux_sealer_seal(sealer, node.data, node.length, level, &at, message.data,
                                       message.length, out, error)
                 : logflux_hazmat_seal_with_salt_and_iv(
                       secret, mode, (uint8_t *)salt.data, salt.length, (uint8_t *)iv.data, iv.length,
                       node.data, node.length, level, &at, message.data, message.length, out, error);
  }
  free(node.data), free(time.data), free(salt.data), free(iv.data), free(message.data);
  return status;
}

static logflux_status ship(logflux_error **error) {
  bytes url = text(request, "endpoint"), key = text(request, "api_key");
  bytes ca = text(request, "ca_file"), node = text(request, "node");
  const char *hints = value(request, "hints"), *at = value(request, "messages");
  logflux_config *config = NULL;
  logflux_status status = logflux_config_new(url.data, url.length, key.data, key.length, secret, &config, error);
  if (status == LOGFLUX_STATUS_OK) {
    OK(logflux_config_set_ca_file_cstr(config, ca.data, NULL));
    OK(logflux_config_set_node(config, node.data, node.length, NULL));
    OK(logflux_config_set_mode(config, number(request, "mode"), NULL));
    OK(logflux_config_set_flush_interval(config, number(hints, "flush_interval_ms"), NULL));
    OK(logflux_config_set_retry(config, 5, number(hints, "initial_delay_ms"), number(hints, "max_delay_ms"), 2,
                                NULL));
    logflux_client_free(client);
    client = NULL;
    status = logflux_client_new(config, &client, error);
  }
  /* The messages are objects without others inside. */
  while (status == LOGFLUX_STATUS_OK && (*at == '[' || *at == ',') && at[1] == '{') {
    bytes message = hex(at, "message_hex");
    OK(logflux_client_log(client, number(at, "loglevel"), message.data, message.length));
    free(message.data);
    at = strchr(at, '}') + 1;
  }
  logflux_config_free(config);
  free(url.data), free(key.data), free(ca.data), free(node.data);
  return status;
}

static logflux_status flush(logflux_error **error) {
  logflux_client_stats stats = {0};
  logflux_status status = logflux_client_flush(client, number(request, "timeout_ms"), error);
  (void)logflux_client_get_stats(client, &stats, sizeof stats, NULL);
  (void)logflux_client_close(client, 0, NULL);
  logflux_client_free(client);
  client = NULL;
  return status == LOGFLUX_STATUS_OK && stats.dropped.total > 0 ? LOGFLUX_STATUS_TIMEOUT : status;
}

/* Does what is asked; the name of the result, or NULL where there is none. */
static logflux_status answer(const char *operation, logflux_buffer *out, const char **name, logflux_error **error) {
  logflux_status status = LOGFLUX_STATUS_OK;
  bytes entry = base64(request, "entry_b64"), salt = hex(request, "salt_hex");
  logflux_entry *parsed = NULL;
  if (value(request, "secret_hex") != NULL) {
    status = use_secret(hex(request, "secret_hex"), error);
  }
  if (status != LOGFLUX_STATUS_OK) {
  } else if (strcmp(operation, "open") == 0) {
    *name = "message_hex";
    status = logflux_opener_open(opener, entry.data, entry.length, out, error);
  } else if (strcmp(operation, "parse") == 0) {
    status = logflux_entry_parse(entry.data, entry.length, &parsed, error);
    logflux_entry_free(parsed);
  } else if (strcmp(operation, "derive") == 0) {
    *name = "key_hex";
    status = logflux_hazmat_derive_key(secret, number(request, "mode"), (uint8_t *)salt.data, salt.length, out, error);
  } else if (strcmp(operation, "seal") == 0) {
    *name = "entry_b64";
    status = seal(out, error);
  } else if (strcmp(operation, "ship") == 0) {
    status = ship(error);
  } else if (strcmp(operation, "flush") == 0) {
    status = flush(error);
  }
  free(entry.data), free(salt.data);
  return status;
}

int main(void) {
  size_t room = 0;
  logflux_buffer *out = logflux_buffer_new();
  int stop = 0;
  while (!stop && getline(&request, &room, stdin) > 0) {
    bytes operation = text(request, "op");
    const char *name = NULL, *stage;
    logflux_error *error = NULL;
    logflux_status status = answer(operation.data, out, &name, &error);
    printf("{\"id\":%u,", (unsigned)number(request, "id"));
    stage = logflux_error_stage(error);
    stop = strcmp(operation.data, "stop") == 0;
    if (status != LOGFLUX_STATUS_OK) {
      printf(stage == NULL ? "\"error\":{" : "\"error\":{\"stage\":\"%s\"", stage);
    } else if (strcmp(operation.data, "hello") == 0) {
      printf("\"ok\":{%s,\"version\":\"%s\"", ABOUT, logflux_version());
    } else {
      printf("\"ok\":{");
    }
    if (status == LOGFLUX_STATUS_OK && name != NULL) {
      (strcmp(name, "entry_b64") == 0 ? put_base64 : put_hex)(name, logflux_buffer_data(out),
                                                              logflux_buffer_length(out));
    }
    printf("}");
    printf("}\n");
    fflush(stdout);
    logflux_buffer_clear(out);
    logflux_error_free(error);
    free(operation.data);
  }
  free(request);
  free(known.data);
  forget_secret();
  logflux_buffer_free(out);
  logflux_client_free(client);
  return 0;
}

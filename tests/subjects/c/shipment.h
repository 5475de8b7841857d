/* Shipping through the client of the C library. */

#include "json.h"

static logflux_client *client;
static logflux_error *error;

static logflux_status ship(const char *json, logflux_secret *secret) {
  bytes url = text(json, "endpoint"), key = text(json, "api_key"), ca = text(json, "ca_file");
  bytes node = text(json, "node");
  const char *at = find(json, "messages");
  logflux_config *config = NULL;
  logflux_status status = logflux_config_new_cstr(url.data, key.data, secret, &config, &error);
  if (status == 0) status = logflux_config_set_ca_file_cstr(config, ca.data, &error);
  if (status == 0) status = logflux_config_set_node(config, node.data, node.length, &error);
  if (status == 0) status = logflux_config_set_mode(config, (uint32_t)number(json, "mode"), &error);
  if (status == 0)
    status = logflux_config_set_retry(config, 5, number(json, "initial_delay_ms"),
                                      number(json, "max_delay_ms"), 2, &error);
  if (status == 0)
    status = logflux_config_set_flush_interval(config, number(json, "flush_interval_ms"), &error);
  if (status == 0) status = logflux_client_new(config, &client, &error);
  for (; status == 0 && (at = strchr(at, '{')) != NULL && at < strchr(at, ']'); at++) {
    bytes message = unhex(at, "message_hex");
    status = logflux_client_log(client, (uint32_t)number(at, "loglevel"), message.data, message.length);
    free(message.data);
  }
  logflux_config_free(config);
  free(url.data);
  free(key.data);
  free(ca.data);
  free(node.data);
  return status;
}

static logflux_status flush(const char *json) {
  logflux_client_stats stats = {0};
  logflux_status status = client == NULL ? LOGFLUX_STATUS_NULL_ARGUMENT
                                         : logflux_client_flush(client, number(json, "timeout_ms"), &error);
  if (status == 0) status = logflux_client_get_stats(client, &stats, sizeof stats, &error);
  if (client != NULL) logflux_client_close(client, 0, NULL);
  logflux_client_free(client);
  client = NULL;
  return status != 0 || stats.dropped.total == 0 ? status : LOGFLUX_STATUS_TIMEOUT;
}

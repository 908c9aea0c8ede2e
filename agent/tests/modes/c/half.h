/* What the test modules have in common: a half that answers each message of its other half with `act`. */
#ifndef HALF_H
#define HALF_H

#include "alongside_mode.h"
#include <string.h>

#ifndef ABI
#define ABI ALONGSIDE_ABI_VERSION
#endif
#ifndef WIRE
#define WIRE 1u
#endif

struct alongside_instance {
  const alongside_host *host;
  int is_operator;
  uint32_t protocol;
};
static struct alongside_instance halves[2];

/* Does what the message says; answers with an ABI status. */
static int32_t act(const alongside_host *host, const uint8_t *said, size_t len);

static int32_t tell(const alongside_host *host, const void *bytes, size_t len) {
  uint8_t body[256] = {0};
  if (len > sizeof body - 1) len = sizeof body - 1;
  memcpy(body + 1, bytes, len);
  return host->emit(host->ctx, ALONGSIDE_FX_PEER, body, len + 1);
}

static alongside_instance *create(const alongside_host *host, uint32_t side) {
  struct alongside_instance *it = &halves[side & 1];
  it->host = host;
  it->is_operator = side == ALONGSIDE_SIDE_OPERATOR;
  return it;
}

/* The number at `*at`, which moves on behind it. */
static uint32_t number(const uint8_t **at, const uint8_t *end) {
  uint32_t n = 0;
  for (unsigned shift = 0; *at < end && shift < 32; shift += 7) {
    uint8_t byte = *(*at)++;
    n |= (uint32_t)(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return n;
}

/* The version of the halves' own protocol, third in the first event. */
static uint32_t protocol_of(const alongside_event *start) {
  const uint8_t *at = start->body.ptr, *end = at + start->body.len;
  number(&at, end);
  number(&at, end);
  return number(&at, end);
}

/* The operator's half: what the console says goes to the device's half, and what that tells goes to the console. */
static int32_t relay(const alongside_instance *it, const alongside_event *event) {
  const alongside_host *host = it->host;
  char json[258] = "\"";
  size_t len = event->body.len < 255 ? event->body.len : 255;
  if (event->kind == ALONGSIDE_EV_CONSOLE && len > 0 && event->body.ptr[0] == 'v') {
    /* Asked for its own version. */
    json[0] = (char)('0' + it->protocol % 10);
    return host->emit(host->ctx, ALONGSIDE_FX_CONSOLE, (const uint8_t *)json, 1);
  }
  if (event->kind == ALONGSIDE_EV_CONSOLE) return tell(host, event->body.ptr, event->body.len);
  if (event->kind != ALONGSIDE_EV_PEER) return ALONGSIDE_OK;
  memcpy(json + 1, event->body.ptr, len);
  json[len + 1] = '"';
  return host->emit(host->ctx, ALONGSIDE_FX_CONSOLE, (const uint8_t *)json, len + 2);
}

static int32_t on_event(alongside_instance *it, const alongside_event *event) {
  if (event->kind == ALONGSIDE_EV_START) it->protocol = protocol_of(event);
  if (it->is_operator) return relay(it, event);
  if (event->kind != ALONGSIDE_EV_PEER) return ALONGSIDE_OK;
  return act(it->host, event->body.ptr, event->body.len);
}

static void destroy(alongside_instance *it) { it->host = NULL; }

static const alongside_module module = {
    ABI, sizeof(alongside_module), WIRE, WIRE, {(const uint8_t *)MANIFEST, sizeof MANIFEST - 1},
    create, on_event, destroy, NULL};

ALONGSIDE_EXPORT const uint32_t alongside_mode_abi = ABI;
ALONGSIDE_EXPORT const alongside_module *alongside_mode_entry_v1(void) { return &module; }

#endif

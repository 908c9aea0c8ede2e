/* A helper for label printers: the operator names a part, the panel shows where it is.
 *
 * The operator half takes a number from its part of the console and hands it on; the device half knows where that part
 * is on this printer's panel, points there and tells the customer what it is called. */
#include "alongside_mode.h"

#include <stdlib.h>
#include <string.h>

static const char MANIFEST[] =
#include "manifest.h"
    ;

struct alongside_instance {
  const alongside_host *host;
  uint32_t side;
};

static const struct part {
  const char *words;
  int32_t x, y; /* pixels */
} PARTS[] = {{"The label tray is here", 200, 500}, {"The cutter is here", 640, 120}, {"The ribbon is here", 420, 300}};

#define PART_COUNT (sizeof PARTS / sizeof PARTS[0])

static alongside_instance *create(const alongside_host *host, uint32_t side) {
  alongside_instance *it = calloc(1, sizeof *it);
  if (it) {
    it->host = host;
    it->side = side;
  }
  return it;
}

static void destroy(alongside_instance *it) { free(it); }

static int32_t emit(alongside_instance *it, uint32_t kind, const uint8_t *body, size_t len) {
  return it->host->emit(it->host->ctx, kind, body, len);
}

/* A signed number in postcard's way: zigzag, then seven bits a byte. */
static uint8_t *put_signed(uint8_t *to, int32_t number) {
  uint32_t rest = ((uint32_t)number << 1) ^ (uint32_t)-(number < 0);
  for (; rest > 127; rest >>= 7) *to++ = (uint8_t)(rest | 128);
  *to++ = (uint8_t)rest;
  return to;
}

/* Points at a place of the panel, in orange. */
static int32_t point(alongside_instance *it, int32_t x, int32_t y) {
  uint8_t body[16], *end = body;
  *end++ = 0; /* the annotation's variant: a pointer */
  end = put_signed(end, x * 16);
  end = put_signed(end, y * 16);
  *end++ = 255;
  *end++ = 140;
  *end++ = 0;
  return emit(it, ALONGSIDE_FX_ANNOTATE, body, (size_t)(end - body));
}

static int32_t notice(alongside_instance *it, const char *words) {
  uint8_t body[64];
  size_t len = strlen(words);
  body[0] = (uint8_t)len;
  memcpy(body + 1, words, len);
  return emit(it, ALONGSIDE_FX_NOTICE, body, len + 1);
}

/* Tells the other half one byte; it arrives. */
static int32_t tell(alongside_instance *it, uint8_t byte) {
  uint8_t body[2] = {0, byte};
  return emit(it, ALONGSIDE_FX_PEER, body, sizeof body);
}

static int32_t at_device(alongside_instance *it, uint8_t number) {
  int32_t status;
  if (number >= PART_COUNT) return ALONGSIDE_E_ARGUMENT;
  status = notice(it, PARTS[number].words);
  if (status != ALONGSIDE_OK) return status;
  status = point(it, PARTS[number].x, PARTS[number].y);
  /* That the customer does not allow it now is no error: the words are shown, and the operator is told. */
  return tell(it, status == ALONGSIDE_E_DENIED ? 255 : number);
}

static int32_t on_event(alongside_instance *it, const alongside_event *event) {
  const uint8_t *body = event->body.ptr;
  size_t len = event->body.len;
  if (it->side == ALONGSIDE_SIDE_OPERATOR && event->kind == ALONGSIDE_EV_CONSOLE) {
    /* The console says JSON: here a digit, or nothing that this mode knows. */
    int is_part = len == 1 && body[0] >= '0' && (size_t)(body[0] - '0') < PART_COUNT;
    return is_part ? tell(it, (uint8_t)(body[0] - '0')) : ALONGSIDE_OK;
  }
  if (event->kind != ALONGSIDE_EV_PEER) return ALONGSIDE_OK;
  if (len != 1) return ALONGSIDE_E_ARGUMENT;
  if (it->side == ALONGSIDE_SIDE_DEVICE) return at_device(it, body[0]);
  if (body[0] < PART_COUNT) {
    uint8_t digit = (uint8_t)('0' + body[0]);
    return emit(it, ALONGSIDE_FX_CONSOLE, &digit, 1);
  }
  return emit(it, ALONGSIDE_FX_CONSOLE, (const uint8_t *)"-1", 2);
}

static const alongside_module module = {
    ALONGSIDE_ABI_VERSION, sizeof(alongside_module), 1, 1, {(const uint8_t *)MANIFEST, sizeof MANIFEST - 1},
    create, on_event, destroy, NULL};

ALONGSIDE_EXPORT const uint32_t alongside_mode_abi = ALONGSIDE_ABI_VERSION;
ALONGSIDE_EXPORT const alongside_module *alongside_mode_entry_v1(void) { return &module; }

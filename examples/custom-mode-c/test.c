/* Both halves with a host of the test's own: what one half sends, the other hears. */
#include "alongside_mode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static alongside_instance *halves[2];
static const alongside_module *mode;
static char noticed[128], console[32];
static uint8_t drawn[32];
static size_t drawn_len;
static int may_draw = 1;

static void tell(uint32_t side, uint32_t kind, const void *bytes, size_t len) {
  alongside_event event = {ALONGSIDE_ABI_VERSION, sizeof event, 0, kind, 0, {NULL, len}};
  event.body.ptr = bytes;
  mode->on_event(halves[side], &event);
}

/* Takes an effect and does what a session does with it. The half's number is the context. */
static int32_t emit(void *ctx, uint32_t kind, const uint8_t *body, size_t len) {
  uint32_t side = *(const uint32_t *)ctx;
  if (kind == ALONGSIDE_FX_PEER) tell(!side, ALONGSIDE_EV_PEER, body + 1, len - 1);
  if (kind == ALONGSIDE_FX_NOTICE) snprintf(noticed, sizeof noticed, "%.*s", (int)len - 1, (const char *)body + 1);
  if (kind == ALONGSIDE_FX_CONSOLE) snprintf(console, sizeof console, "%.*s", (int)len, (const char *)body);
  if (kind == ALONGSIDE_FX_ANNOTATE) {
    if (!may_draw) return ALONGSIDE_E_DENIED;
    memcpy(drawn, body, drawn_len = len);
  }
  return ALONGSIDE_OK;
}

static void write_log(void *ctx, uint32_t level, const uint8_t *text, size_t len) {
  (void)ctx;
  printf("log %u: %.*s\n", (unsigned)level, (int)len, (const char *)text);
}

static void expect(int good, const char *what) {
  if (good) return;
  printf("wrong: %s\n", what);
  exit(1);
}

int main(void) {
  static uint32_t sides[2] = {ALONGSIDE_SIDE_DEVICE, ALONGSIDE_SIDE_OPERATOR};
  static alongside_host hosts[2];
  /* A pointer at (200, 500): 3200 and 8000 sixteenths, zigzag and seven bits a byte; then orange. */
  static const uint8_t tray[] = {0, 0x80, 0x32, 0x80, 0x7d, 255, 140, 0};
  mode = alongside_mode_entry_v1();
  for (int n = 0; n < 2; n++) {
    hosts[n] = (alongside_host){ALONGSIDE_ABI_VERSION, sizeof(alongside_host), 1, 0, &sides[n], emit, write_log, NULL};
    halves[n] = mode->create(&hosts[n], sides[n]);
    expect(halves[n] != NULL, "a half is made");
  }
  tell(ALONGSIDE_SIDE_OPERATOR, ALONGSIDE_EV_CONSOLE, "0", 1);
  expect(strcmp(noticed, "The label tray is here") == 0, "the customer reads what is meant");
  expect(drawn_len == sizeof tray && memcmp(drawn, tray, sizeof tray) == 0, "the pointer is at the tray");
  expect(strcmp(console, "0") == 0, "the operator is told");
  may_draw = 0;
  tell(ALONGSIDE_SIDE_OPERATOR, ALONGSIDE_EV_CONSOLE, "1", 1);
  expect(strcmp(noticed, "The cutter is here") == 0, "words need no permission");
  expect(strcmp(console, "-1") == 0, "the operator is told that nothing is drawn");
  tell(ALONGSIDE_SIDE_OPERATOR, ALONGSIDE_EV_CONSOLE, "{}", 2);
  tell(ALONGSIDE_SIDE_DEVICE, ALONGSIDE_EV_PEER, "\x07", 1);
  expect(strcmp(console, "-1") == 0, "nonsense changes nothing");
  for (int n = 0; n < 2; n++) mode->destroy(halves[n]);
  puts("ok");
  return 0;
}

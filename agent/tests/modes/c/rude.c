/* Misbehaves on order, by the first letter of what its other half says. */
#define _GNU_SOURCE
#include "half.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int32_t act(const alongside_host *host, const uint8_t *said, size_t len) {
  static volatile uint64_t turns;
  char line[80];
  if (len < 1) return ALONGSIDE_E_ARGUMENT;
  switch (said[0]) {
  case 'a': abort();
  case 'h':
    for (;;) turns++;
  case 's': *(volatile int *)8 = 1; break;
  case 'm':
    /* Takes memory until there is none, and touches it. */
    for (size_t n = 0;; n++) {
      char *some = malloc(1 << 20);
      if (!some) break;
      memset(some, 1, 1 << 20);
      turns++;
    }
    snprintf(line, sizeof line, "%u", (unsigned)turns);
    return tell(host, line, strlen(line));
  case 'f': {
    int made = 0;
    for (int n = 0; n < 1000; n++) {
      pid_t child = fork();
      if (child == 0) for (;;) fork();
      if (child > 0) made++;
    }
    snprintf(line, sizeof line, "%d", made);
    return tell(host, line, strlen(line));
  }
  case 'p':
    snprintf(line, sizeof line, "%u", (unsigned)halves[ALONGSIDE_SIDE_DEVICE].protocol);
    return tell(host, line, strlen(line));
  case 'x': _exit(0);
  case 'w': {
    /* Speaks to the parent behind the host's back: an answer with effects that nobody granted. */
    static const uint8_t pressed[] = {
        /* length */ 27, 0, 0, 0, /* answer */ 3, /* status */ 0, 0, 0, 0, /* denied */ 0, 0, 0, 0, /* effects */ 1, 0, 0, 0,
        /* FX_TEXT */ 5, 0, 0, 0, /* length */ 6, 0, 0, 0, /* "hello" */ 5, 'h', 'e', 'l', 'l', 'o'};
    uint8_t whole[sizeof pressed];
    memcpy(whole, pressed, sizeof whole);
    uint32_t rest = sizeof whole - 4;
    memcpy(whole, &rest, 4);
    if (write(0, whole, sizeof whole) < 0) return ALONGSIDE_E_MODE;
    /* The true answer would come one too late: keep it back. */
    for (;;) syscall(SYS_sched_yield);
  }
  case 'g': {
    static const uint8_t garbage[64] = {0xff, 0xff, 0xff, 0x7f};
    if (write(0, garbage, sizeof garbage) < 0) return ALONGSIDE_E_MODE;
    break;
  }
  case 'd': {
    /* Asks for what it has no grant for. */
    static const uint8_t text[] = {2, 'n', 'o'};
    int32_t status = host->emit(host->ctx, ALONGSIDE_FX_TEXT, text, sizeof text);
    snprintf(line, sizeof line, "%d", status);
    return tell(host, line, strlen(line));
  }
  case 'z': {
    unsigned long end = said[1];
    for (uint64_t n = 0; n < end * 1000 * 1000; n++) turns++;
    return tell(host, "z", 1);
  }
  default: return tell(host, said, len);
  }
  return ALONGSIDE_OK;
}

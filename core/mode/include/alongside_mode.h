/* alongside_mode.h: write a session mode for Alongside in C. ABI version 1.0.
 *
 * A mode has two halves, one beside the panel of a device and one beside the operator. Each half is a state machine:
 * the host tells it of an event, and during that call it asks for effects through host->emit. It is given nothing
 * else: no socket, no screen, no clock. What it asks for takes place after the call has returned ALONGSIDE_OK, and
 * only as far as the customer allows it at that moment.
 *
 * Rules of the boundary
 *
 *   Memory    Whatever a pointer points to is lent for that one call. Copy what you keep; free only what you made.
 *             The host struct is the exception: it stays until `destroy` has returned.
 *   Threads   One call at a time on one instance; the next one may come on another thread. Different instances are
 *             called at the same time. emit and log are called during a call and on its thread, nowhere else.
 *   Time      Answer within 5 ms and never wait. at_us of the event is the only clock.
 *   Unwinding No exception and no longjmp leaves a function of yours.
 *   Growth    Every struct begins with the ABI version and its size. Within version 1 fields are added at the end
 *             only: one that begins at or behind struct_size is not there. Kinds are added and never change: answer
 *             ALONGSIDE_E_UNSUPPORTED to one that you do not know.
 *   Loading   A module is never unloaded. A new build is a new file name.
 *
 * Bodies are in postcard's format: u8 is a byte; other unsigned numbers are LEB128 (seven bits a byte, low ones
 * first, the top bit says that more follow); signed numbers are zigzag first (0, -1, 1, -2, ...) and then LEB128; an
 * enum is the number of its variant as LEB128; a string or list is its length and then its content; an optional value
 * is 0, or 1 and the value; a struct is its fields one after the other.
 */
#ifndef ALONGSIDE_MODE_H
#define ALONGSIDE_MODE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef _WIN32
#define ALONGSIDE_EXPORT __declspec(dllexport)
#else
#define ALONGSIDE_EXPORT __attribute__((visibility("default")))
#endif

#define ALONGSIDE_ABI_MAJOR 1u
#define ALONGSIDE_ABI_MINOR 0u
#define ALONGSIDE_ABI_VERSION ((ALONGSIDE_ABI_MAJOR << 16) | ALONGSIDE_ABI_MINOR)

/* Version of the bodies below. A module names the range that it speaks, and the host chooses from it. */
#define ALONGSIDE_WIRE_SCHEMA 1u

/* Which half an instance is. */
#define ALONGSIDE_SIDE_DEVICE 0u
#define ALONGSIDE_SIDE_OPERATOR 1u

/* Capabilities: what a mode may do, as bits. The manifest has them by the name in quotes. */
#define ALONGSIDE_CAP_VIEW (1u << 0)           /* "view": the operator sees the panel             */
#define ALONGSIDE_CAP_ANNOTATE (1u << 1)       /* "annotate": draw over the panel                 */
#define ALONGSIDE_CAP_INPUT (1u << 2)          /* "input": point, type and press keys             */
#define ALONGSIDE_CAP_SETTINGS_READ (1u << 3)  /* "settings.read"                                 */
#define ALONGSIDE_CAP_SETTINGS_WRITE (1u << 4) /* "settings.write"                                */
#define ALONGSIDE_CAP_SILENT (1u << 5)         /* "silent": no notice; the owner has to allow it  */

/* Answers. */
#define ALONGSIDE_OK 0
#define ALONGSIDE_E_ARGUMENT (-1)    /* the body does not decode                                   */
#define ALONGSIDE_E_UNSUPPORTED (-2) /* unknown kind, or not one of this half                      */
#define ALONGSIDE_E_DENIED (-3)      /* emit: not granted now; the effect is dropped, carry on     */
#define ALONGSIDE_E_FULL (-4)        /* emit: more than 256 effects or 1 MiB in one call           */
#define ALONGSIDE_E_MODE (-5)        /* on_event: the mode gives up; the session goes on           */
#define ALONGSIDE_E_PANICKED (-6)    /* on_event: an exception or panic was caught; as E_MODE      */

/* Levels of a log line. */
#define ALONGSIDE_LOG_ERROR 1u
#define ALONGSIDE_LOG_WARN 2u
#define ALONGSIDE_LOG_INFO 3u
#define ALONGSIDE_LOG_DEBUG 4u
#define ALONGSIDE_LOG_TRACE 5u

/* Events and their bodies. "point" is two i32 in 1/16 pixel, x then y, from the top left corner. */
#define ALONGSIDE_EV_START 1u    /* side enum{device, operator}, granted u32, protocol u16, width u16, height u16,
                                    locale string. First event                                              */
#define ALONGSIDE_EV_STOP 2u     /* enum{left, replaced, withdrawn, finished, peer failed, session ended}.
                                    Last event                                                              */
#define ALONGSIDE_EV_PEER 3u     /* the other half's bytes, as they are                                     */
#define ALONGSIDE_EV_GRANT 4u    /* granted u32: all that is granted from now on                            */
#define ALONGSIDE_EV_POINTER 5u  /* point, phase enum{hover, down, move, up, leave}, buttons u8 (1 left,
                                    2 right, 4 middle), pressure u16 up to 1023. Operator half              */
#define ALONGSIDE_EV_KEY 6u      /* name string, enum{down, up}. Operator half                              */
#define ALONGSIDE_EV_TEXT 7u     /* text string. Operator half                                              */
#define ALONGSIDE_EV_DRAW 8u     /* an annotation, see ALONGSIDE_FX_ANNOTATE. Operator half                 */
#define ALONGSIDE_EV_TIMER 9u    /* id u32                                                                  */
#define ALONGSIDE_EV_CONSOLE 10u /* JSON, as it is. Operator half                                           */
#define ALONGSIDE_EV_LINK 11u    /* round trip u64 in us, sending u32 and budget u32 in kbit/s              */
#define ALONGSIDE_EV_SETTINGS 12u /* request u32, enum{schema: bytes of JSON, last u8; values: version u64, list of
                                    {path string, enum{absent, secret, value}}, last u8; stage: enum{asked:
                                    seconds u16; refused: enum{customer, timeout, withdrawn, busy, unchanged};
                                    conflict; invalid: list of {path string, fault}; failed: string; applied:
                                    seconds u16; confirmed; rolled back: enum{failed: string, conflict,
                                    unconfirmed, withdrawn, restarted}; stuck: string}; failed: string}.
                                    A value is enum{bool u8, whole number i64, number f64, text string}. A part
                                    of an answer has at most 3,800 bytes. Device half                       */

/* Effects and their bodies; in brackets what each needs. */
#define ALONGSIDE_FX_PEER 1u      /* u8 0: arrives, in order, up to 4,000 bytes; 1: only the newest counts, may be
                                     lost, up to 1,000 bytes. Then your own bytes, as they are               */
#define ALONGSIDE_FX_ANNOTATE 2u  /* enum{pointer: point, r u8, g u8, b u8; pointer gone; stroke: id u32, r u8,
                                     g u8, b u8, width u8 (1 to 32 pixels), list of up to 256 {point, pressure
                                     u16}, done u8 (0 or 1); undo: optional id u32; clear}. Device half.
                                     Pointer and stroke need [ANNOTATE]                                      */
#define ALONGSIDE_FX_POINTER 3u   /* as ALONGSIDE_EV_POINTER. Device half [INPUT]                            */
#define ALONGSIDE_FX_KEY 4u       /* as ALONGSIDE_EV_KEY. Device half [INPUT]                                */
#define ALONGSIDE_FX_TEXT 5u      /* as ALONGSIDE_EV_TEXT. Device half [INPUT]                               */
#define ALONGSIDE_FX_SET_TIMER 6u /* id u32, after u64 in us; 0 takes the timer back                         */
#define ALONGSIDE_FX_CONSOLE 7u   /* JSON of up to 16 KiB, as it is. Operator half                           */
#define ALONGSIDE_FX_NOTICE 8u    /* one line of up to 200 bytes for the customer, string. Device half       */
#define ALONGSIDE_FX_AUDIT 9u     /* one line of up to 200 bytes for the session's record, string            */
#define ALONGSIDE_FX_FINISH 10u   /* one line of up to 200 bytes: why the mode is done, string               */
/* The device's settings; the answers are ALONGSIDE_EV_SETTINGS with the same request number. Device half. */
#define ALONGSIDE_FX_SETTINGS_SCHEMA 11u  /* request u32 [SETTINGS_READ]                                     */
#define ALONGSIDE_FX_SETTINGS_READ 12u    /* request u32, optional group string [SETTINGS_READ]              */
#define ALONGSIDE_FX_SETTINGS_PROPOSE 13u /* request u32, optional version u64, list of up to 256 {path
                                             string, optional value} [SETTINGS_WRITE]                        */
#define ALONGSIDE_FX_SETTINGS_UNDO 14u    /* request u32: take the last change back [SETTINGS_WRITE]         */
#define ALONGSIDE_FX_SETTINGS_CONFIRM 15u /* request u32 of the change that waits: it stays [SETTINGS_WRITE] */

/* Lent bytes, without a terminating zero. */
typedef struct alongside_slice {
  const uint8_t *ptr;
  size_t len;
} alongside_slice;

/* One event. */
typedef struct alongside_event {
  uint32_t abi_version; /* of the host                                       */
  uint32_t struct_size;
  uint64_t at_us; /* microseconds since the session began; never goes back   */
  uint32_t kind;
  uint32_t reserved;
  alongside_slice body;
} alongside_event;

/* What the host offers to one instance. ctx is the first argument of each function. */
typedef struct alongside_host {
  uint32_t abi_version; /* of the host                                       */
  uint32_t struct_size;
  uint32_t wire_schema; /* chosen from the module's range                    */
  uint32_t reserved;
  void *ctx;
  /* Asks for an effect. The body is copied before this returns. */
  int32_t (*emit)(void *ctx, uint32_t kind, const uint8_t *body, size_t len);
  /* Writes a line of UTF-8 to the host's log. */
  void (*log)(void *ctx, uint32_t level, const uint8_t *text, size_t len);
  /* What later versions add, by name; NULL for a name that the host does not know. May be NULL itself. */
  const void *(*extension)(void *ctx, const char *name);
} alongside_host;

/* One half of a mode at work. What is in it is the module's own business. */
typedef struct alongside_instance alongside_instance;

/* What a module is. */
typedef struct alongside_module {
  uint32_t abi_version; /* ALONGSIDE_ABI_VERSION                             */
  uint32_t struct_size; /* sizeof(alongside_module)                          */
  uint32_t wire_schema_min;
  uint32_t wire_schema_max;
  alongside_slice manifest; /* the text of mode.json, byte for byte          */
  /* Makes the half `side`. NULL if that fails; say why with host->log. */
  alongside_instance *(*create)(const alongside_host *host, uint32_t side);
  int32_t (*on_event)(alongside_instance *instance, const alongside_event *event);
  void (*destroy)(alongside_instance *instance);
  /* What later versions add, by name; NULL for a name that the module does not know. May be NULL itself. */
  const void *(*extension)(const char *name);
} alongside_module;

/* The two symbols of a module. The first is the same in every version of this ABI, so that a host can always say
 * which version it has met. */
ALONGSIDE_EXPORT extern const uint32_t alongside_mode_abi;
ALONGSIDE_EXPORT const alongside_module *alongside_mode_entry_v1(void);

#ifdef __cplusplus
}
#endif

#endif

/* Tries what a module must not be able to do, from its constructor and from a call, and tells what it could. */
#define _GNU_SOURCE
#include "half.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

extern char **environ;

enum {
  SHADOW = 1 << 0,
  WRITE = 1 << 1,
  TCP = 1 << 2,
  UDP = 1 << 3,
  EXEC = 1 << 4,
  MEMORY = 1 << 5,
  ENVIRONMENT = 1 << 6,
  FORK = 1 << 7,
  SIGNAL = 1 << 8,
  TRACE = 1 << 9,
  RING = 1 << 10,
  FILE_OF_OWN = 1 << 11,
  LINK = 1 << 12,
  PASSWD = 1 << 13,
  CODE = 1 << 14,
  NAMESPACE = 1 << 15
};

static uint32_t from_constructor;

/* Where the parent keeps something, by the address that the test put into the build. */
#ifndef SECRET
#define SECRET 0
#endif
#ifndef OUTSIDE
#define OUTSIDE "/tmp/alongside-evil"
#endif

static int opens(const char *path, int flags) {
  int fd = open(path, flags, 0600);
  if (fd < 0) return 0;
  close(fd);
  return 1;
}

static uint32_t probe(void) {
  uint32_t could = 0;
  char other[64];
  if (opens("/etc/shadow", O_RDONLY)) could |= SHADOW;
  if (opens("/etc/passwd", O_RDONLY)) could |= PASSWD;
  if (opens(OUTSIDE, O_WRONLY | O_CREAT)) could |= WRITE;
  if (opens(OUTSIDE, O_RDWR | O_TRUNC)) could |= WRITE;
  if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_INET6, SOCK_STREAM, 0) >= 0) could |= TCP;
  if (socket(AF_INET, SOCK_DGRAM, 0) >= 0 || socket(AF_UNIX, SOCK_DGRAM, 0) >= 0) could |= UDP;
  pid_t child = fork();
  if (child == 0) _exit(0);
  if (child > 0) could |= FORK;
  if (syscall(SYS_vfork) > 0 || syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) > 0) could |= FORK;
  char *const no[] = {NULL};
  /* If it works, this process is gone and says nothing more, which the test notices as well. */
  execve("/bin/true", no, no);
  if (errno != EPERM && errno != EACCES) could |= EXEC;
  uint8_t flipped = 1;
  struct iovec here = {&flipped, 1}, there = {(void *)(uintptr_t)SECRET, 1};
  if (process_vm_writev(getppid(), &here, 1, &there, 1, 0) >= 0) could |= MEMORY;
  snprintf(other, sizeof other, "/proc/%d/mem", (int)getppid());
  if (opens(other, O_RDWR) || opens(other, O_RDONLY)) could |= MEMORY;
  if (environ && environ[0]) could |= ENVIRONMENT;
  snprintf(other, sizeof other, "/proc/%d/environ", (int)getppid());
  if (opens(other, O_RDONLY)) could |= ENVIRONMENT;
  if (kill(getppid(), 0) == 0) could |= SIGNAL;
  if (ptrace(PTRACE_TRACEME, 0, 0, 0) == 0) could |= TRACE;
  char ring[256] = {0};
  if (syscall(SYS_io_uring_setup, 1, ring) >= 0) could |= RING;
  if (syscall(SYS_memfd_create, "own", 0) >= 0) could |= FILE_OF_OWN;
  if (symlink("/etc/shadow", OUTSIDE "-link") == 0) could |= LINK;
  void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code != MAP_FAILED) could |= CODE;
  if (syscall(SYS_unshare, 0x10000000) == 0) could |= NAMESPACE;
  return could;
}

__attribute__((constructor)) static void constructor(void) {
#ifdef MARK
  int fd = open(MARK, O_WRONLY | O_CREAT, 0600);
  if (fd >= 0) close(fd);
  return;
#endif
  from_constructor = probe();
}

static int32_t act(const alongside_host *host, const uint8_t *said, size_t len) {
  if (len < 1) return ALONGSIDE_E_ARGUMENT;
  uint32_t could = said[0] == 'c' ? from_constructor : probe();
  return tell(host, &could, sizeof could);
}

/* A child process that does one thing and tells what it came to: fuzz runs and studies' runs alike.
 *
 *   parent  --fork-->  child(ctx, out)  --bytes--> pipe --> struct ds_process.bytes
 *                      standard error   ---------> pipe --> .said, its beginning, as evidence
 *
 * A child ends with its parent, also when that is killed (PR_SET_PDEATHSIG), leaves no core
 * file, and ignores Ctrl-C, which reaches the whole terminal: its parent ends it.  Forked
 * before any OpenMP region, or it would hang in its first one. */
#ifndef SIM_CMD_PROCESS_H
#define SIM_CMD_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ds_process {
    pid_t pid;    /* 0: none, or it has ended */
    int out, err; /* ends of its pipes; -1: closed */
    char *bytes;  /* what it has sent; ds_process_free frees it */
    size_t have, room;
    char said[4096]; /* the beginning of its standard error, where checks and sanitizers speak */
    size_t said_size;
    int status; /* of waitpid, when it has ended */
};

struct ds_process_limits {
    uint32_t cpu_s;        /* of processor time; 0: any */
    uint64_t memory_bytes; /* of address space; 0: any */
};

/* Zero-initialise *p.  The child calls child and ends with exit code 0.  False: there is no
 * process, errno says why. */
bool ds_process_start(struct ds_process *p, struct ds_process_limits limits,
                      void (*child)(void *ctx, int out), void *ctx);
/* In the child: all of it; what cannot be sent (the parent is gone) is dropped. */
void ds_process_send(int out, const void *bytes, size_t size);
/* Takes what arrives for so long (-1: any time) or until something did.  Returns the index of one
 * that has ended (pid 0), or SIZE_MAX.  Entries without a process are passed over. */
size_t ds_process_wait(struct ds_process *const *p, size_t count, int timeout_ms);
/* Ends it and waits for that; nothing when there is none. */
void ds_process_kill(struct ds_process *p);
/* Ended by itself, with exit code 0. */
bool ds_process_fine(const struct ds_process *p);
/* The signal that ended it, or 0. */
int ds_process_signal(const struct ds_process *p);
/* Of one that crashed: the line that names the failure, equal for equal failures. */
void ds_process_crash(const struct ds_process *p, char *text, size_t size);
void ds_process_free(struct ds_process *p);

#endif

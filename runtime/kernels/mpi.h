/*
 * mpi.h - Open MPI, loaded where mpirun started several processes: messages of bytes between them
 *
 * Declared here as Open MPI 4 and 5 have it (libmpi.so.40), where a communicator, a type and a
 * request are pointers, so that wrun is built and starts where there is none. All calls come from the
 * main thread. Every wait is a poll, which an interrupt ends.
 */
#ifndef MPI_H
#define MPI_H

#include <stdbool.h>
#include <stddef.h>

#include "tensor/base.h"

typedef struct {
    int source, tag, error, cancelled;
    size_t bytes;
} MpiStatus;

#define MPI_ROUTINES(ROW)                                                                          \
    ROW(Initialized, (int *flag))                                                                  \
    ROW(Init_thread, (int *argc, char ***argv, int required, int *provided))                       \
    ROW(Finalize, (void))                                                                          \
    ROW(Abort, (void *comm, int status))                                                           \
    ROW(Comm_rank, (void *comm, int *rank))                                                        \
    ROW(Comm_size, (void *comm, int *size))                                                        \
    ROW(Isend,                                                                                     \
        (const void *bytes, int count, void *type, int to, int tag, void *comm, void **request))   \
    ROW(Irecv,                                                                                     \
        (void *bytes, int count, void *type, int from, int tag, void *comm, void **request))       \
    ROW(Iprobe, (int from, int tag, void *comm, int *flag, MpiStatus *status))                     \
    ROW(Testany, (int count, void **requests, int *which, int *flag, MpiStatus *status))           \
    ROW(Cancel, (void **request))

typedef struct Mpi {
    void *world, *byte;
    int rank, size;
#define ROW(name, parameters) int(*name) parameters;
    MPI_ROUTINES(ROW)
#undef ROW
} Mpi;

/* what became of a message */
typedef enum {
    MPI_DONE,
    MPI_UNDER_WAY,
    MPI_INTERRUPTED,
    MPI_LEFT,
    MPI_SLOW,
    MPI_NOTHING,
    MPI_OTHER_SIZE
} MpiOutcome;

/* Loads the library and joins the world, once a process: *mpi lives as long as that. When the process
 * ends with status 0 it waits for the others to end, and with another it ends them all. Standard
 * output of every rank but 0 goes nowhere from here on. */
Reason mpi_start(Mpi **mpi);

/* A message to `peer` or from it, and what of it is left. Its bytes are the caller's until it is
 * over. */
typedef struct {
    char *start;
    size_t size;
    int peer, tag;
    bool is_sent;
    void *request;
} MpiMessage;

void mpi_begin(const Mpi *mpi, MpiMessage *message);

/* Looks which of several messages is over, and forgets it: MPI_UNDER_WAY: none; MPI_NOTHING: the
 * other rank has sent an empty one instead. Messages go on only while one looks. `requests` has room
 * for as many. */
MpiOutcome mpi_look(const Mpi *mpi, MpiMessage *const *messages, void **requests, int count,
                    int *which);

/* The same, but waits until one is over. MPI_LEFT: the other rank of `which` has ended; MPI_SLOW: it
 * lets this one wait for seconds, which may wait again. What is interrupted leaves the world of no
 * use. */
MpiOutcome mpi_wait(const Mpi *mpi, MpiMessage *const *messages, void **requests, int count,
                    int *which);

/* the size of the next message */
MpiOutcome mpi_await(const Mpi *mpi, int from, int tag, size_t *size);

#endif

/*
 * mpi.c - loads Open MPI and moves bytes by it; see mpi.h
 */
#include "kernels/mpi.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tensor/interrupt.h"

enum { FUNNELED = 1 };      /* as mpi.h has it */
enum { LARGEST = 1 << 30 }; /* bytes of a message, which an int counts */
enum { TAG_LEFT = 32767 };  /* the sender has ended, and answers nobody */
enum { EVERY = 256 };       /* so many looks for a message, one for the end of its sender */
enum { SLOW = 70000 };      /* looks after which a wait is long: some five seconds */

static Reason load(Mpi *mpi)
{
    /* its own plug-ins look for its names */
    void *library = dlopen("libmpi.so.40", RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
    if (!library) {
        const char *reason = dlerror();
        return strstr(reason, "No such file") != NULL
                   ? "there is no libmpi.so.40 (Debian package openmpi-bin)"
                   : reason;
    }
#define ROW(name, parameters)                                                                      \
    void *name##_address = dlsym(library, "MPI_" #name);                                           \
    if (!name##_address)                                                                           \
        return "the Open MPI found has no MPI_" #name;                                             \
    memcpy(&mpi->name, &name##_address, sizeof name##_address);
    MPI_ROUTINES(ROW)
#undef ROW
    mpi->world = dlsym(library, "ompi_mpi_comm_world");
    mpi->byte = dlsym(library, "ompi_mpi_byte");
    return mpi->world && mpi->byte ? NULL : "libmpi.so.40 is not Open MPI's";
}

/* Tells the others that this rank answers no longer, so that none waits for ever. */
static void say_goodbye(const Mpi *mpi)
{
    for (int rank = 0; rank < mpi->size; rank++) {
        void *request;
        if (rank != mpi->rank)
            mpi->Isend(NULL, 0, mpi->byte, rank, TAG_LEFT, mpi->world, &request);
    }
}

static void leave(int status, void *of_process)
{
    const Mpi *mpi = of_process;
    if (status != 0) {
        mpi->Abort(mpi->world, status);
        return;
    }
    say_goodbye(mpi);
    mpi->Finalize();
}

/* A host of wrun.so may unload it before its process ends. */
static void stay_loaded(void)
{
    Dl_info own;
    void *address;
    Reason (*function)(Mpi **) = mpi_start;
    memcpy(&address, &function, sizeof address);
    if (dladdr(address, &own) != 0)
        dlopen(own.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

static void silence(int file)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) {
        dup2(nowhere, file);
        close(nowhere);
    }
}

static void join(Mpi *mpi)
{
    int is_up, provided;
    mpi->Initialized(&is_up);
    if (!is_up) {
        mpi->Init_thread(NULL, NULL, FUNNELED, &provided);
        stay_loaded();
        on_exit(leave, mpi);
    }
    mpi->Comm_rank(mpi->world, &mpi->rank);
    mpi->Comm_size(mpi->world, &mpi->size);
    if (mpi->rank != 0)
        silence(STDOUT_FILENO);
}

Reason mpi_start(Mpi **result)
{
    Mpi *mpi = calloc(1, sizeof *mpi); /* for leave, which comes after all else has gone */
    if (!mpi)
        return "not enough memory";
    Reason reason = load(mpi);
    if (reason) {
        free(mpi);
        return reason;
    }
    join(mpi);
    *result = mpi;
    return NULL;
}

/* Lets others run between two looks, the longer the longer it takes: there may be more ranks than
 * processors. */
static void pause_briefly(int looks)
{
    enum { SPINS = 100, YIELDS = 2000, NANOSECONDS = 20000 };
    if (looks > YIELDS)
        nanosleep(&(struct timespec){.tv_nsec = NANOSECONDS}, NULL);
    else if (looks > SPINS)
        sched_yield();
}

/* May the wait go on for what `peer` is to do? */
static MpiOutcome look_around(const Mpi *mpi, int peer, int looks)
{
    int has_left = 0;
    MpiStatus status;
    if (interrupt_wanted())
        return MPI_INTERRUPTED;
    if (looks % EVERY == EVERY - 1)
        mpi->Iprobe(peer, TAG_LEFT, mpi->world, &has_left, &status);
    pause_briefly(looks);
    return has_left ? MPI_LEFT : looks == SLOW ? MPI_SLOW : MPI_DONE;
}

static int piece(const MpiMessage *message)
{
    return (int)(message->size < LARGEST ? message->size : LARGEST);
}

void mpi_begin(const Mpi *mpi, MpiMessage *message)
{
    if (message->is_sent)
        mpi->Isend(message->start, piece(message), mpi->byte, message->peer, message->tag,
                   mpi->world, &message->request);
    else
        mpi->Irecv(message->start, piece(message), mpi->byte, message->peer, message->tag,
                   mpi->world, &message->request);
}

/* A piece of a message has gone or come: was it the last? */
static MpiOutcome settle(const Mpi *mpi, MpiMessage *message, size_t bytes)
{
    int count = piece(message);
    message->start += count;
    message->size -= (size_t)count;
    if (!message->is_sent && bytes != (size_t)count)
        return bytes == 0 ? MPI_NOTHING : MPI_OTHER_SIZE;
    if (message->size == 0)
        return MPI_DONE;
    mpi_begin(mpi, message);
    return MPI_UNDER_WAY;
}

MpiOutcome mpi_look(const Mpi *mpi, MpiMessage *const *messages, void **requests, int count,
                    int *which)
{
    for (int i = 0; i < count; i++)
        requests[i] = messages[i]->request;
    int is_over = 0;
    MpiStatus status;
    mpi->Testany(count, requests, which, &is_over, &status);
    return is_over ? settle(mpi, messages[*which], status.bytes) : MPI_UNDER_WAY;
}

MpiOutcome mpi_wait(const Mpi *mpi, MpiMessage *const *messages, void **requests, int count,
                    int *which)
{
    MpiOutcome trouble = MPI_DONE;
    int watched = 0;
    for (int looks = 0;; looks++) {
        MpiOutcome outcome = mpi_look(mpi, messages, requests, count, which);
        if (outcome != MPI_UNDER_WAY)
            return outcome;
        *which = watched;
        if (trouble != MPI_DONE) /* and nothing had come before it */
            return trouble;
        watched = looks / EVERY % count;
        trouble = look_around(mpi, messages[watched]->peer, looks);
    }
}

MpiOutcome mpi_await(const Mpi *mpi, int from, int tag, size_t *size)
{
    MpiOutcome outcome = MPI_DONE;
    int is_there = 0;
    for (int looks = 0; !is_there; looks++) {
        MpiStatus status;
        mpi->Iprobe(from, tag, mpi->world, &is_there, &status);
        if (is_there)
            *size = status.bytes;
        else if (outcome != MPI_DONE)
            return outcome;
        else
            outcome = look_around(mpi, from, looks);
    }
    return MPI_DONE;
}

/*
 * pool.c - the one thread pool; see pool.h
 *
 * Each thread has one share of a run's pieces, which are neighbours, so that its processor reads and
 * writes on where it is; when that is done it helps with the others'. A share is published by
 * writing the run's number and the count of its pieces into the thread's `ticket`, in one word.
 * Whoever takes a piece lowers the count by one compare-and-swap, which fails for a run that is
 * over; so a worker that comes late finds nothing to do, and nobody waits for it. The run is over
 * when every piece is done and counted, and only then may the next one be published: all that
 * describes a run is stable for whoever has taken a piece and not yet counted it. The pieces of a
 * run that is interrupted are taken and left undone. Waiting spins for some microseconds, since
 * training calls the pool thousands of times a second, and then sleeps.
 *
 * Workers that sleep wake on another processor than the caller's, if there are enough; once awake
 * they may go where they like. A system, above all one that is a guest of another, else often wakes a
 * worker where its waker runs, and leaves the two there for milliseconds while a processor idles.
 *
 * Every other run goes through its shares backward: it begins where the one before it ended, with
 * what the processor's cache still has. Within a strip, some pieces at most, it goes forward, as
 * processors expect it of long ways.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include "tensor/interrupt.h"
#include "tensor/pool.h"

enum { STRIPS = 32, SPINS = 4000 };

/* one of the threads, the caller's first */
typedef struct {
    Pool *pool;
    pthread_t thread;
    _Atomic uint64_t ticket; /* the run's number, and in the low half its pieces not yet taken */
    bool sleeps, is_apart;   /* under the mutex: in `wake`; to wake apart from the caller */
    char apart[CACHE_LINE];  /* what one thread takes is not to disturb the next */
} Member;

struct Pool {
    int threads; /* wanted, the caller's included */
    int usable;  /* of them: fewer where a worker cannot be made, or lacks room to work */
    int workers; /* running; 0 until the first parallel run */
    PoolStop *stop;
    void *stop_context;
    PoolTask *task;
    void *context;
    int64_t pieces, shares;
    bool whole;    /* is never interrupted */
    bool backward; /* goes through its shares from their ends */
    _Atomic int64_t done;
    atomic_bool closing;
    int sleepers;         /* workers in `wake`; under the mutex, as is all sleeping */
    cpu_set_t processors; /* the caller's, when it last woke any */
    pthread_mutex_t mutex;
    pthread_cond_t wake, finished;
    Member member[MAX_THREADS];
};

static void spin_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static uint32_t pieces_left(uint64_t ticket)
{
    return (uint32_t)ticket;
}

static int64_t share_begin(const Pool *pool, int64_t share)
{
    return pool->pieces * share / pool->shares;
}

/* the piece of a share whose turn it is where so many are left */
static int64_t next_piece(const Pool *pool, int64_t share, int64_t left)
{
    int64_t begin = share_begin(pool, share), count = share_begin(pool, share + 1) - begin;
    int64_t done = count - left;
    if (!pool->backward)
        return begin + done;
    int64_t strip = size_max(count / STRIPS, 1), first = done / strip * strip;
    return begin + size_max(count - first - strip, 0) + done - first;
}

static void do_piece(Pool *pool, int64_t share, int64_t left)
{
    if (pool->whole || !interrupt_wanted())
        pool->task(pool->context, next_piece(pool, share, left));
}

/* Does what is left of a share; returns the number of pieces done. */
static int64_t do_share(Pool *pool, int64_t share)
{
    _Atomic uint64_t *ticket = &pool->member[share].ticket;
    uint64_t seen = atomic_load(ticket);
    int64_t done = 0;
    while (pieces_left(seen) > 0) {
        if (!atomic_compare_exchange_weak(ticket, &seen, seen - 1))
            continue;
        do_piece(pool, share, pieces_left(seen));
        done++;
        seen = atomic_load(ticket);
    }
    return done;
}

/* Does pieces of the run that is on until none is left to take. Who has come too late for any of its
 * own leaves the others', too: the run may be over. */
static void do_shares(Pool *pool, int64_t own)
{
    int64_t done = do_share(pool, own);
    if (done == 0)
        return;
    int64_t pieces = pool->pieces, shares = pool->shares;
    for (int64_t i = 1; i < shares; i++)
        done += do_share(pool, (own + i) % shares);
    if (atomic_fetch_add(&pool->done, done) + done == pieces) {
        pthread_mutex_lock(&pool->mutex);
        pthread_cond_signal(&pool->finished);
        pthread_mutex_unlock(&pool->mutex);
    }
}

static bool has_work(Member *member)
{
    return pieces_left(atomic_load(&member->ticket)) > 0 || atomic_load(&member->pool->closing);
}

static void await_work(Member *member)
{
    Pool *pool = member->pool;
    for (int i = 0; i < SPINS; i++) {
        if (has_work(member))
            return;
        spin_pause();
    }
    pthread_mutex_lock(&pool->mutex);
    pool->sleepers++;
    member->sleeps = true;
    while (!has_work(member)) {
        pthread_cond_wait(&pool->wake, &pool->mutex);
        if (member->is_apart)
            sched_setaffinity(0, sizeof pool->processors, &pool->processors);
        member->is_apart = false;
    }
    member->sleeps = false;
    pool->sleepers--;
    pthread_mutex_unlock(&pool->mutex);
}

static void *worker(void *argument)
{
    Member *member = argument;
    Pool *pool = member->pool;
    for (;;) {
        await_work(member);
        if (atomic_load(&pool->closing))
            return NULL;
        do_shares(pool, member - pool->member);
    }
}

/* lets those that sleep wake where the caller is not, unless there are more workers than processors */
static void keep_apart(Pool *pool)
{
    int processor = sched_getcpu();
    if (processor < 0 || sched_getaffinity(0, sizeof pool->processors, &pool->processors) != 0)
        return;
    cpu_set_t others = pool->processors;
    CPU_CLR((size_t)processor, &others);
    for (int i = 1; i <= pool->workers && CPU_COUNT(&others) >= pool->workers; i++) {
        Member *member = &pool->member[i];
        if (member->sleeps)
            member->is_apart = pthread_setaffinity_np(member->thread, sizeof others, &others) == 0;
    }
}

static void wake_workers(Pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    if (pool->sleepers > 0) {
        keep_apart(pool);
        pthread_cond_broadcast(&pool->wake);
    }
    pthread_mutex_unlock(&pool->mutex);
}

/* Signals are for the caller's threads, but for those that a thread's own faults send. */
static void start_workers(Pool *pool)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
    sigset_t others, before;
    sigfillset(&others);
    for (size_t i = 0; i < COUNT_OF(faults); i++)
        sigdelset(&others, faults[i]);
    pthread_sigmask(SIG_SETMASK, &others, &before);
    atomic_store(&pool->closing, false);
    while (pool->workers < pool->usable - 1) {
        Member *member = &pool->member[pool->workers + 1];
        member->pool = pool;
        if (pthread_create(&member->thread, NULL, worker, member) == 0)
            pool->workers++;
        else
            pool->usable = pool->workers + 1;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void stop_workers(Pool *pool)
{
    if (pool->workers == 0)
        return;
    atomic_store(&pool->closing, true);
    wake_workers(pool);
    for (int i = 1; i <= pool->workers; i++)
        pthread_join(pool->member[i].thread, NULL);
    pool->workers = 0;
}

static void await_end(Pool *pool, int64_t pieces)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&pool->done) == pieces)
            return;
        spin_pause();
    }
    pthread_mutex_lock(&pool->mutex);
    while (atomic_load(&pool->done) < pieces)
        pthread_cond_wait(&pool->finished, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
}

size_t pool_size(void)
{
    return sizeof(Pool);
}

void pool_init(Pool *pool, int threads, PoolStop *stop, void *context)
{
    *pool = (Pool){.threads = threads, .usable = threads, .stop = stop, .stop_context = context};
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->finished, NULL);
}

void pool_close(Pool *pool)
{
    stop_workers(pool);
    pthread_cond_destroy(&pool->finished);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
}

int pool_threads(const Pool *pool)
{
    return pool->threads;
}

void pool_set_threads(Pool *pool, int threads)
{
    stop_workers(pool);
    pool->threads = threads < MAX_THREADS ? threads : MAX_THREADS;
    pool->usable = pool->threads;
}

int pool_usable(const Pool *pool)
{
    return pool->usable;
}

void pool_limit(Pool *pool, int usable)
{
    stop_workers(pool);
    pool->usable = usable;
}

int pool_default_threads(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : count < MAX_THREADS ? count : MAX_THREADS;
}

static void run(Pool *pool, PoolTask *task, void *context, int64_t pieces, bool whole)
{
    if (pieces > 1 && pool->workers < pool->usable - 1)
        start_workers(pool);
    pool->task = task;
    pool->context = context;
    pool->pieces = pieces;
    pool->whole = whole;
    pool->backward = !pool->backward;
    pool->shares = pieces > UINT32_MAX ? 1 : size_min(pieces, pool->workers + 1);
    if (pool->shares <= 1) {
        for (int64_t left = pieces; left > 0; left--)
            do_piece(pool, 0, left);
        return;
    }
    atomic_store(&pool->done, 0);
    uint64_t number = (atomic_load(&pool->member[0].ticket) >> 32) + 1;
    for (int64_t i = 0; i < pool->shares; i++) {
        int64_t left = share_begin(pool, i + 1) - share_begin(pool, i);
        atomic_store(&pool->member[i].ticket, number << 32 | (uint64_t)left);
    }
    wake_workers(pool);
    do_shares(pool, 0);
    await_end(pool, pieces);
}

void pool_run(Pool *pool, PoolTask *task, void *context, int64_t pieces)
{
    if (pieces != 1)
        run(pool, task, context, pieces, false);
    else if (!interrupt_wanted())
        task(context, 0);
    pool_check(pool);
}

void pool_run_whole(Pool *pool, PoolTask *task, void *context, int64_t pieces)
{
    run(pool, task, context, pieces, true);
}

void pool_check(const Pool *pool)
{
    if (interrupt_wanted())
        pool->stop(pool->stop_context);
}

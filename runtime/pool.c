/*
 * pool.c - the one thread pool (layer 0); see pool.h
 *
 * Invariant: between runs every worker waits for `generation` to change. A run publishes task,
 * context and pieces, raises `generation`, and takes pieces itself; a piece is taken by one atomic
 * increment of `next`, and the run is over when every worker has reported in `idle`. Waiting spins
 * for a few microseconds, since training calls the pool thousands of times a second, and then
 * sleeps.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "pool.h"

enum { MAX_THREADS = 256, SPINS = 4000 };

struct Pool {
    int threads; /* wanted, the caller's included */
    int workers; /* running; 0 until the first parallel run */
    bool broken; /* a worker could not be made: go on with those there are */
    PoolTask *task;
    void *context;
    int64_t pieces;
    _Atomic int64_t next;
    atomic_int idle;
    atomic_uint generation;
    atomic_bool closing;
    pthread_mutex_t mutex;
    pthread_cond_t wake, done;
    pthread_t thread[MAX_THREADS];
};

static void spin_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void take_pieces(Pool *pool)
{
    int64_t piece;
    while ((piece = atomic_fetch_add(&pool->next, 1)) < pool->pieces)
        pool->task(pool->context, piece);
}

static unsigned await_work(Pool *pool, unsigned seen)
{
    for (int i = 0; i < SPINS; i++) {
        unsigned now = atomic_load_explicit(&pool->generation, memory_order_acquire);
        if (now != seen)
            return now;
        spin_pause();
    }
    pthread_mutex_lock(&pool->mutex);
    while (atomic_load(&pool->generation) == seen)
        pthread_cond_wait(&pool->wake, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
    return atomic_load(&pool->generation);
}

static void report_idle(Pool *pool)
{
    if (atomic_fetch_add(&pool->idle, 1) + 1 == pool->workers) {
        pthread_mutex_lock(&pool->mutex);
        pthread_cond_signal(&pool->done);
        pthread_mutex_unlock(&pool->mutex);
    }
}

static void *worker(void *argument)
{
    Pool *pool = argument;
    unsigned seen = 0;
    for (;;) {
        seen = await_work(pool, seen);
        if (atomic_load(&pool->closing))
            return NULL;
        take_pieces(pool);
        report_idle(pool);
    }
}

static void publish(Pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->generation, 1);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
}

static void start_workers(Pool *pool)
{
    atomic_store(&pool->generation, 0);
    atomic_store(&pool->closing, false);
    while (pool->workers < pool->threads - 1) {
        if (pthread_create(&pool->thread[pool->workers], NULL, worker, pool) != 0) {
            pool->broken = true;
            return;
        }
        pool->workers++;
    }
}

static void stop_workers(Pool *pool)
{
    if (pool->workers == 0)
        return;
    atomic_store(&pool->closing, true);
    publish(pool);
    for (int i = 0; i < pool->workers; i++)
        pthread_join(pool->thread[i], NULL);
    pool->workers = 0;
}

size_t pool_size(void)
{
    return sizeof(Pool);
}

void pool_init(Pool *pool, int threads)
{
    *pool = (Pool){.threads = threads};
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->done, NULL);
}

void pool_close(Pool *pool)
{
    stop_workers(pool);
    pthread_cond_destroy(&pool->done);
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
    pool->broken = false;
    pool->threads = threads < MAX_THREADS ? threads : MAX_THREADS;
}

int pool_default_threads(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : count < MAX_THREADS ? count : MAX_THREADS;
}

void pool_run(Pool *pool, PoolTask *task, void *context, int64_t pieces)
{
    if (pieces > 1 && pool->workers < pool->threads - 1 && !pool->broken)
        start_workers(pool);
    if (pieces <= 1 || pool->workers == 0) {
        for (int64_t piece = 0; piece < pieces; piece++)
            task(context, piece);
        return;
    }
    pool->task = task;
    pool->context = context;
    pool->pieces = pieces;
    atomic_store(&pool->next, 0);
    atomic_store(&pool->idle, 0);
    publish(pool);
    take_pieces(pool);
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&pool->idle, memory_order_acquire) == pool->workers)
            return;
        spin_pause();
    }
    pthread_mutex_lock(&pool->mutex);
    while (atomic_load(&pool->idle) < pool->workers)
        pthread_cond_wait(&pool->done, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
}

/*
 * optim.c - steps of optimisers, each over a whole group of parameters; see optim.h
 *
 * One function for each float type, read through each_float.h.
 */
#include <string.h>

#include "kernels/optim.h"

#include <tgmath.h>

#define KERNELS "kernels/optim_kernels.h"
#include "kernels/each_float.h"

/* a step over the elements begin..end-1 of one parameter */
typedef void Range(const void *options, const OptimParam *param, int64_t begin, int64_t end);

typedef struct {
    Range *f32, *f64;
    const void *options;
    const OptimParam *first, *end; /* the parameters, adjacent ones of a group */
} Job;

static void run_range(void *context, int64_t piece)
{
    const Job *job = context;
    int64_t begin = job->first->before + piece * OPTIM_RANGE, end = begin + OPTIM_RANGE;
    const OptimParam *low = job->first, *high = job->end; /* the last that starts by `begin` */
    while (high - low > 1) {
        const OptimParam *middle = low + (high - low) / 2;
        *(middle->before <= begin ? &low : &high) = middle;
    }
    for (const OptimParam *p = low; p < job->end && p->before < end; p++) {
        int64_t from = begin > p->before ? begin - p->before : 0;
        (p->dtype == FLOAT32 ? job->f32 : job->f64)(job->options, p, from,
                                                    size_min(p->n, end - p->before));
    }
}

static void run_job(Pool *pool, Job job)
{
    const OptimParam *last = job.end - 1;
    pool_run_whole(pool, run_range, &job,
                   size_pieces(last->before + last->n - job.first->before, OPTIM_RANGE));
}

static void run(Pool *pool, Range *f32, Range *f64, const void *options, const OptimGroup *group)
{
    const OptimParam *p = group->params, *end = p + group->count;
    if (group->overlaps)
        for (; p < end; p++)
            run_job(pool, (Job){f32, f64, options, p, p + 1});
    else if (p < end)
        run_job(pool, (Job){f32, f64, options, p, end});
}

void optim_adam(Pool *pool, const AdamOptions *options, OptimGroup *group)
{
    for (int64_t i = 0; i < group->count; i++) {
        OptimParam *p = &group->params[i];
        if (i > 0 && p->step == p[-1].step) {
            memcpy(p->correction, p[-1].correction, sizeof p->correction);
        } else {
            p->correction[0] = 1 - pow(options->beta1, p->step);
            p->correction[1] = sqrt(1 - pow(options->beta2, p->step));
        }
    }
    run(pool, adam_f32, adam_f64, options, group);
}

void optim_sgd(Pool *pool, const SgdOptions *options, OptimGroup *group)
{
    run(pool, sgd_f32, sgd_f64, options, group);
}

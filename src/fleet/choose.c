/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/choose.h"

#include <string.h>

#define POOL "default"

static const char *const words[VGPU_N_CHOICES] = {
    [VGPU_CHOICE_FITS] = "fits",
    [VGPU_CHOICE_DOWN] = "down",
    [VGPU_CHOICE_DRAINING] = "draining",
    [VGPU_CHOICE_LABEL] = "label",
    [VGPU_CHOICE_APART] = "affinity",
    [VGPU_CHOICE_NO_PROFILE] = "no-such-profile",
    [VGPU_CHOICE_NOT_IN_POOL] = "not-in-pool",
    [VGPU_CHOICE_NO_ROOM] = "no-room",
    [VGPU_CHOICE_QUOTA] = "quota",
};

const char *
vgpu_choice_word(VgpuChoice choice)
{
    return words[choice];
}

static const VgpuWant *
nth(const VgpuHolding *holding, guint i)
{
    return &g_array_index(holding->wants, VgpuWant, i);
}

/* How many of @fit (of @profile) @want can take away at worst. */
static guint64
cost(const char *profile, const VgpuFit *fit, const VgpuWant *want)
{
    if (g_str_equal(profile, want->profile))
        return want->count;
    if (fit->mixed && fit->fb_mib && want->fb_mib)
        return (guint64) want->count * ((want->fb_mib + fit->fb_mib - 1) / fit->fb_mib);
    return (guint64) want->count * MAX(fit->per_gpu, 1);
}

static guint64
cost_of(const char *profile, const VgpuFit *fit, const VgpuHolding *holding)
{
    guint64 sum = 0;

    for (guint i = 0; i < holding->wants->len; i++)
        sum += cost(profile, fit, nth(holding, i));
    return sum;
}

/* How many of want @i fit beside what is reserved and the wants before it. A reservation of the domain
 * itself does not count, as it is replaced. */
static guint
room(const VgpuAsk *ask, const VgpuCandidate *candidate, guint i)
{
    const VgpuHolding *wanted = ask->holding;
    const VgpuFit *fit = candidate->fits[i];
    guint64 taken = 0;

    for (guint k = 0; candidate->held && k < candidate->held->len; k++) {
        const VgpuHolding *held = g_ptr_array_index(candidate->held, k);

        if (g_strcmp0(held->domain, wanted->domain) != 0)
            taken += cost_of(nth(wanted, i)->profile, fit, held);
    }
    for (guint k = 0; k < i; k++)
        taken += cost(nth(wanted, i)->profile, fit, nth(wanted, k));
    return taken < fit->available ? fit->available - (guint) taken : 0;
}

static const char *
missing_label(const VgpuAsk *ask, const VgpuCandidate *candidate)
{
    for (char *const *label = ask->labels; label && *label; label++) {
        const VgpuFit *fit = candidate->fits[0];

        if (!fit || !fit->labels || !g_strv_contains((const char *const *) fit->labels, *label))
            return *label;
    }
    return NULL;
}

static void explain(char **reason, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
explain(char **reason, const char *format, ...)
{
    va_list args;

    if (!reason)
        return;
    va_start(args, format);
    *reason = g_strdup_vprintf(format, args);
    va_end(args);
}

static VgpuChoice
judge_want(const VgpuAsk *ask, const VgpuCandidate *candidate, guint i, guint *left,
           char **reason)
{
    const VgpuWant *want = nth(ask->holding, i);
    const VgpuFit *fit = candidate->fits[i];
    const char *named = ask->pools ? ask->pools[i] : ask->pool;
    const char *pool = named ? named : POOL;
    guint n;

    if (!fit || fit->available == 0) {
        explain(reason, "it has no room for '%s', or no such profile", want->profile);
        return VGPU_CHOICE_NO_PROFILE;
    }
    if (fit->pools && *fit->pools && !g_strv_contains((const char *const *) fit->pools, pool)) {
        explain(reason, "pool '%s' has no '%s' there", pool, want->profile);
        return VGPU_CHOICE_NOT_IN_POOL;
    }
    n = room(ask, candidate, i);
    if (n < want->count) {
        explain(reason, "%u of '%s' fit%s, %u are needed", n, want->profile,
                n < fit->available ? " beside what is reserved" : "", want->count);
        return VGPU_CHOICE_NO_ROOM;
    }
    if (i == 0 && left)
        *left = n - want->count;
    return VGPU_CHOICE_FITS;
}

VgpuChoice
vgpu_choose_judge(const VgpuAsk *ask, const VgpuCandidate *candidate, guint *left, char **reason)
{
    const char *why = ask->apart ? g_hash_table_lookup(ask->apart, candidate->host) : NULL;
    const char *label;

    if (candidate->summary && candidate->summary->state == VGPU_SUMMARY_DOWN) {
        explain(reason, "its virtvgpud does not answer");
        return VGPU_CHOICE_DOWN;
    }
    if (candidate->summary && candidate->summary->state == VGPU_SUMMARY_DRAINING) {
        explain(reason, "it takes nothing new, as it is drained");
        return VGPU_CHOICE_DRAINING;
    }
    if (why) {
        explain(reason, "%s", why);
        return VGPU_CHOICE_APART;
    }
    if (ask->holding->wants->len && candidate->fits[0] &&
        (label = missing_label(ask, candidate))) {
        explain(reason, "it has no label %s", label);
        return VGPU_CHOICE_LABEL;
    }
    for (guint i = 0; i < ask->holding->wants->len; i++) {
        VgpuChoice choice = judge_want(ask, candidate, i, left, reason);

        if (choice != VGPU_CHOICE_FITS)
            return choice;
    }
    return VGPU_CHOICE_FITS;
}

typedef struct {
    guint at, left;
    const char *host;
} Rank;

/* Of two hosts with the same room the one with the smaller UUID, so that all planners agree. */
static int
compare_ranks(gconstpointer a, gconstpointer b, gpointer data)
{
    const Rank *one = a, *other = b;
    int order = (one->left > other->left) - (one->left < other->left);

    if (*(VgpuPlacement *) data == VGPU_PLACEMENT_SPREAD)
        order = -order;
    return order ? order : strcmp(one->host, other->host);
}

GArray *
vgpu_choose_order(const VgpuAsk *ask, const VgpuCandidate *candidates, guint n)
{
    g_autoptr(GArray) ranks = g_array_new(FALSE, FALSE, sizeof(Rank));
    GArray *order = g_array_new(FALSE, FALSE, sizeof(guint));
    VgpuPlacement policy = ask->policy;

    for (guint i = 0; i < n; i++) {
        Rank rank = { .at = i, .host = candidates[i].host };

        if (vgpu_choose_judge(ask, &candidates[i], &rank.left, NULL) == VGPU_CHOICE_FITS)
            g_array_append_val(ranks, rank);
    }
    g_array_sort_with_data(ranks, compare_ranks, &policy);
    for (guint i = 0; i < ranks->len; i++)
        g_array_append_val(order, g_array_index(ranks, Rank, i).at);
    return order;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* placement-explain.c: why there is no place, in one line that fits in a dialog */
#include "base/error.h"
#include "domain/refusals.h"
#include "placement/placement-private.h"

#define MAX_GROUPS 3 /* of GPUs with the same reason */

/* The nearest to success first; among GPUs that a pool keeps back, those of the named pool. */
static int
nearest_first(gconstpointer a, gconstpointer b, gpointer opaque)
{
    const VgpuCandidate *x = *(const VgpuCandidate *const *) a;
    const VgpuCandidate *y = *(const VgpuCandidate *const *) b;
    const VgpuWant *want = opaque;

    if (x->verdict != y->verdict || x->verdict != VGPU_VERDICT_NOT_IN_POOL || !want->pool)
        return (int) y->verdict - (int) x->verdict;
    return (y->pool && g_str_equal(y->pool->name, want->pool)) -
           (x->pool && g_str_equal(x->pool->name, want->pool));
}

static const VgpuCandidate *
at(const GPtrArray *candidates, guint i)
{
    return g_ptr_array_index(candidates, i);
}

/* One more of a list of which VGPU_PLACEMENT_MAX_NAMES are written; @n were there before it. */
static void
list_one(GString *text, guint n, const char *separator, const char *name)
{
    if (n < VGPU_PLACEMENT_MAX_NAMES)
        g_string_append_printf(text, "%s%s", n ? separator : "", name);
}

static void
end_list(GString *text, guint n)
{
    if (n > VGPU_PLACEMENT_MAX_NAMES)
        g_string_append_printf(text, " and %u more", n - VGPU_PLACEMENT_MAX_NAMES);
}

/* "A', 'B", to go between quotes. */
static char *
list_profiles(const VgpuWant *want)
{
    GString *text = g_string_new(NULL);
    guint n = 0;

    for (; want->profiles[n]; n++)
        list_one(text, n, "', '", want->profiles[n]);
    if (n > VGPU_PLACEMENT_MAX_NAMES)
        g_string_append(text, "', '…");
    return g_string_free(text, FALSE);
}

/* --- no GPU is named ---------------------------------------------------------------------- */

/* No GPU comes into question at all. */
static void
say_none_meant(GString *text, const VgpuWant *want)
{
    if (want->vf)
        g_string_append_printf(text, "the virtual function %s of its definition does not exist",
                               want->vf);
    else if (want->interface != VGPU_INTERFACE_NONE)
        g_string_append_printf(text, "no GPU makes vGPUs as its definition has them (%s)",
                               vgpu_interface_to_string(want->interface));
    else
        g_string_append(text, "there is no GPU on this host");
}

/* All that might do are in pools, and no pool was named. */
static void
say_pools(GString *text, const GPtrArray *sorted, const char *profiles)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_direct_hash, g_direct_equal);
    g_autoptr(GString) pools = g_string_new(NULL);
    guint n = 0;

    for (guint i = 0; i < sorted->len; i++) {
        const VgpuCandidate *candidate = at(sorted, i);

        if (candidate->verdict == VGPU_VERDICT_NOT_IN_POOL &&
            g_hash_table_add(seen, (gpointer) candidate->pool)) {
            g_autofree char *attribute = g_strdup_printf("pool='%s'", candidate->pool->name);

            list_one(pools, n++, " or ", attribute);
        }
    }
    end_list(pools, n);
    g_string_append_printf(text, VGPU_REFUSAL_ONLY_IN_POOLS, profiles, pools->str);
}

static void
say_headline(GString *text, const GPtrArray *sorted, const VgpuWant *want, const char *profiles)
{
    VgpuVerdict nearest = sorted->len ? at(sorted, 0)->verdict : VGPU_VERDICT_NOT_NAMED;

    if (nearest == VGPU_VERDICT_NOT_NAMED)
        say_none_meant(text, want);
    else if (nearest == VGPU_VERDICT_NO_SUCH_PROFILE)
        g_string_append_printf(text, VGPU_REFUSAL_NO_PROFILE, profiles);
    else if (nearest == VGPU_VERDICT_NOT_IN_POOL && !vgpu_placement_names_pool(want))
        say_pools(text, sorted, profiles);
    else if (vgpu_placement_names_pool(want))
        g_string_append_printf(text, VGPU_REFUSAL_NO_ROOM_IN_POOL, want->pool, profiles);
    else
        g_string_append_printf(text, VGPU_REFUSAL_NO_ROOM, profiles);
}

/* Whether both have the same reason. */
static bool
are_alike(const VgpuCandidate *a, const VgpuCandidate *b)
{
    if (a->verdict != b->verdict)
        return false;
    return a->verdict == VGPU_VERDICT_NO_SUCH_PROFILE ||
           a->verdict == VGPU_VERDICT_NOT_ANSWERING || g_str_equal(a->reason, b->reason);
}

/* The same of @n GPUs, the first of which is @first. */
static void
say_group(GString *text, const VgpuCandidate *first, guint n, bool is_first)
{
    g_string_append(text, is_first ? ": " : "; ");
    if (n == 1)
        g_string_append_printf(text, "%s: %s", first->gpu->address, first->reason);
    else if (first->verdict == VGPU_VERDICT_NO_SUCH_PROFILE)
        g_string_append_printf(text, "%u other GPUs do not have it", n);
    else
        g_string_append_printf(text, "%s and %u more: %s", first->gpu->address, n - 1,
                               first->reason);
}

/* GPUs that are alike together, in the order of the first of each. */
static void
say_reasons(GString *text, const GPtrArray *sorted)
{
    g_autoptr(GPtrArray) left = g_ptr_array_new();

    for (guint i = 0; i < sorted->len; i++) {
        if (at(sorted, i)->verdict != VGPU_VERDICT_NOT_NAMED)
            g_ptr_array_add(left, sorted->pdata[i]);
    }
    for (guint groups = 0; left->len && groups < MAX_GROUPS; groups++) {
        const VgpuCandidate *first = at(left, 0);
        guint n = 0;

        for (guint i = 0; i < left->len;) {
            if (are_alike(first, at(left, i))) {
                g_ptr_array_remove_index(left, i);
                n++;
            } else {
                i++;
            }
        }
        say_group(text, first, n, !groups);
    }
    if (left->len)
        g_string_append_printf(text, "; and %u more GPU%s", left->len, left->len > 1 ? "s" : "");
}

/* --- gpu= names one ----------------------------------------------------------------------- */

/* Who else has the profile. */
static void
say_others(GString *text, const GPtrArray *candidates)
{
    g_autoptr(GString) others = g_string_new(NULL);
    guint n = 0;

    for (guint i = 0; i < candidates->len; i++) {
        if (!at(candidates, i)->is_named && at(candidates, i)->offers)
            list_one(others, n++, ", ", at(candidates, i)->gpu->address);
    }
    end_list(others, n);
    if (n)
        g_string_append_printf(text, "; %s %s it", others->str, n > 1 ? "have" : "has");
}

static void
say_of_named(GString *text, const GPtrArray *candidates, const VgpuCandidate *named,
             const VgpuWant *want, const char *profiles)
{
    g_autofree char *subject =
        g_strdup_printf(want->line ? VGPU_REFUSAL_NAMED : VGPU_REFUSAL_BY_HAND, want->gpu);

    if (named->verdict == VGPU_VERDICT_NO_SUCH_PROFILE) {
        g_string_append_printf(text, VGPU_REFUSAL_NOT_THERE, subject, profiles);
        say_others(text, candidates);
        return;
    }
    g_string_append_printf(text, VGPU_REFUSAL_NO_ROOM_THERE, subject, profiles, named->reason);
    if (named->verdict == VGPU_VERDICT_NOT_IN_POOL && !vgpu_placement_names_pool(want))
        g_string_append_printf(text, " (on the device, set pool='%s')", named->pool->name);
}

/* --- both --------------------------------------------------------------------------------- */

/* NULL: gpu= names nothing that is there. */
static const VgpuCandidate *
find_named(const GPtrArray *candidates)
{
    for (guint i = 0; i < candidates->len; i++) {
        if (at(candidates, i)->is_named)
            return at(candidates, i);
    }
    return NULL;
}

/* Whether a GPU that comes into question does not answer, so its room is not known. */
static bool
is_unknown(const GPtrArray *candidates)
{
    for (guint i = 0; i < candidates->len; i++)
        if (at(candidates, i)->verdict == VGPU_VERDICT_NOT_ANSWERING)
            return true;
    return false;
}

void
vgpu_placement_explain(const GPtrArray *candidates, const VgpuWant *want, GError **error)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *profiles = list_profiles(want);
    const VgpuCandidate *named = want->gpu ? find_named(candidates) : NULL;
    bool known = false;   /* some GPU that comes into question may have it */
    bool offered = false; /* and some does have it */

    for (guint i = 0; i < candidates->len; i++) {
        g_ptr_array_add(sorted, candidates->pdata[i]);
        known |= at(candidates, i)->verdict > VGPU_VERDICT_NO_SUCH_PROFILE;
        offered |= at(candidates, i)->profile != NULL;
    }
    g_ptr_array_sort_with_data(sorted, nearest_first, (gpointer) want); /* stable: GLib merges */
    if (named) {
        say_of_named(text, candidates, named, want, profiles);
    } else if (want->gpu) {
        g_string_append_printf(text, VGPU_REFUSAL_NO_GPU, want->gpu);
    } else {
        say_headline(text, sorted, want, profiles);
        if (known)
            say_reasons(text, sorted);
    }
    /* a profile that no GPU offers is most likely a typo in that line */
    vgpu_error_at(error,
                  is_unknown(candidates) ? VGPU_ERROR_UNKNOWN
                  : known                ? VGPU_ERROR_NO_CAPACITY
                                         : VGPU_ERROR_NOT_FOUND,
                  NULL, offered ? 0 : want->line, "%s", text->str);
}

/* placement-explain.c: why there is no place, in one line */
#include "base/error.h"
#include "domain/refusals.h"
#include "placement/placement-private.h"

/* The nearest to success first; of those that a pool keeps back, the GPUs of the pool that is
 * named. */
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

/* There is not even a GPU that could be meant. */
static void
say_none_meant(GString *text, const VgpuWant *want)
{
    if (want->vf)
        g_string_append_printf(text, "the virtual function %s of its definition is not there",
                               want->vf);
    else if (want->interface != VGPU_INTERFACE_NONE)
        g_string_append_printf(text, "no GPU makes vGPUs as its definition has them (%s)",
                               vgpu_interface_to_string(want->interface));
    else if (want->gpu)
        g_string_append_printf(text, "there is no GPU %s on this host", want->gpu);
    else
        g_string_append(text, "there is no GPU on this host");
}

/* All that might do are in pools, and no pool was named. */
static void
say_pools(GString *text, const GPtrArray *sorted, const char *profiles)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_direct_hash, g_direct_equal);
    g_autoptr(GString) pools = g_string_new(NULL);

    for (guint i = 0; i < sorted->len; i++) {
        const VgpuCandidate *candidate = g_ptr_array_index(sorted, i);

        if (candidate->verdict == VGPU_VERDICT_NOT_IN_POOL &&
            g_hash_table_add(seen, (gpointer) candidate->pool))
            g_string_append_printf(pools, "%s pool='%s'", pools->len ? " or" : "",
                                   candidate->pool->name);
    }
    g_string_append_printf(text, VGPU_REFUSAL_ONLY_IN_POOLS, profiles, pools->str);
}

static void
say_headline(GString *text, const GPtrArray *sorted, const VgpuWant *want)
{
    g_autofree char *profiles = g_strjoinv("', '", want->profiles);
    VgpuVerdict nearest;

    if (!sorted->len) {
        say_none_meant(text, want);
        return;
    }
    nearest = ((const VgpuCandidate *) g_ptr_array_index(sorted, 0))->verdict;
    if (nearest == VGPU_VERDICT_NO_SUCH_PROFILE)
        g_string_append_printf(text, VGPU_REFUSAL_NO_PROFILE, profiles);
    else if (nearest == VGPU_VERDICT_NOT_IN_POOL && !vgpu_placement_names_pool(want))
        say_pools(text, sorted, profiles);
    else if (vgpu_placement_names_pool(want))
        g_string_append_printf(text, VGPU_REFUSAL_NO_ROOM_IN_POOL, want->pool, profiles);
    else
        g_string_append_printf(text, VGPU_REFUSAL_NO_ROOM, profiles);
}

void
vgpu_placement_explain(const GPtrArray *candidates, const VgpuWant *want, GError **error)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    g_autoptr(GString) text = g_string_new(NULL);
    bool known = false;   /* some GPU may have it */
    bool offered = false; /* some GPU does have it */

    for (guint i = 0; i < candidates->len; i++) {
        const VgpuCandidate *candidate = g_ptr_array_index(candidates, i);

        g_ptr_array_add(sorted, (gpointer) candidate);
        known |= candidate->verdict != VGPU_VERDICT_NO_SUCH_PROFILE;
        offered |= candidate->profile != NULL;
    }
    g_ptr_array_sort_with_data(sorted, nearest_first, (gpointer) want); /* stable: GLib merges */
    say_headline(text, sorted, want);
    for (guint i = 0; known && i < sorted->len; i++) {
        const VgpuCandidate *candidate = g_ptr_array_index(sorted, i);

        g_string_append_printf(text, "%s %s: %s", i ? ";" : ":", candidate->gpu->address,
                               candidate->reason);
    }
    /* what none offers is most likely a slip of the pen, there */
    vgpu_error_at(error, known ? VGPU_ERROR_NO_CAPACITY : VGPU_ERROR_NOT_FOUND, NULL,
                  offered ? 0 : want->line, "%s", text->str);
}

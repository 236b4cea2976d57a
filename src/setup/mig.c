/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "setup/mig.h"

#include <string.h>

#include "base/error.h"

/* No GPU has room for more; a larger number is a mistake. */
#define MAX_COUNT 64

void
vgpu_mig_want_free(VgpuMigWant *self)
{
    g_free(self->name);
    g_free(self);
}

void
vgpu_mig_plan_clear(VgpuMigPlan *self)
{
    g_clear_pointer(&self->destroy, g_array_unref);
    g_clear_pointer(&self->create, g_array_unref);
}

/* --- the wanted layout ---------------------------------------------------------------------- */

/* "1g.5gb (19), 2g.10gb (14)" */
static char *
allowed_text(const GPtrArray *profiles)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < profiles->len; i++) {
        const VgpuNvmlGiProfile *profile = g_ptr_array_index(profiles, i);

        g_string_append_printf(text, "%s%s (%u, at most %u)", i ? ", " : "", profile->name,
                               profile->id, profile->total);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static const VgpuNvmlGiProfile *
find_profile(const GPtrArray *profiles, const char *word)
{
    guint64 id;
    bool is_id = g_ascii_string_to_unsigned(word, 10, 0, G_MAXUINT, &id, NULL);

    for (guint i = 0; i < profiles->len; i++) {
        const VgpuNvmlGiProfile *profile = g_ptr_array_index(profiles, i);

        if (g_str_equal(profile->name, word) || (is_id && profile->id == id))
            return profile;
    }
    return NULL;
}

/* Read "NAME" or "NAME:COUNT"; @word is cut at the colon. */
static bool
read_count(char *word, guint *count, GError **error)
{
    char *colon = strchr(word, ':');
    guint64 number = 1;

    if (colon)
        *colon++ = '\0';
    if (!*word)
        return vgpu_error_set(
            error, VGPU_ERROR_BAD_REQUEST,
            "a MIG layout is 'PROFILE:COUNT,...' such as 1g.12gb:4,2g.24gb:1; a profile is "
            "missing");
    if (colon && !g_ascii_string_to_unsigned(colon, 10, 1, MAX_COUNT, &number, NULL))
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                              "'%s' of MIG profile %s is not a number of instances from 1 to "
                              "%d",
                              colon, word, MAX_COUNT);
    *count = (guint) number;
    return true;
}

static void
add_want(GPtrArray *wanted, const VgpuNvmlGiProfile *profile, guint count)
{
    VgpuMigWant *want;

    for (guint i = 0; i < wanted->len; i++) {
        want = g_ptr_array_index(wanted, i);
        if (want->profile == profile->id) {
            want->count += count;
            return;
        }
    }
    want = g_new0(VgpuMigWant, 1);
    want->profile = profile->id;
    want->name = g_strdup(profile->name);
    want->count = count;
    g_ptr_array_add(wanted, want);
}

/* Of two pointers to structures that begin with the number to sort by. */
static gint
compare_first(gconstpointer a, gconstpointer b)
{
    const guint *left = *(gconstpointer *) a, *right = *(gconstpointer *) b;

    return *left < *right ? -1 : *left > *right;
}

/* More than an empty GPU has room for need not be tried. */
static bool
check_totals(const GPtrArray *wanted, const GPtrArray *profiles, GError **error)
{
    for (guint i = 0; i < wanted->len; i++) {
        const VgpuMigWant *want = g_ptr_array_index(wanted, i);
        const VgpuNvmlGiProfile *profile = find_profile(profiles, want->name);

        if (profile && profile->total && want->count > profile->total)
            return vgpu_error_set(
                error, VGPU_ERROR_BAD_REQUEST,
                "%u instances of MIG profile %s are more than the GPU has room for; %u at most",
                want->count, want->name, profile->total);
    }
    return true;
}

GPtrArray *
vgpu_mig_parse(const char *spec, const GPtrArray *profiles, GError **error)
{
    g_auto(GStrv) words = g_strsplit(spec, ",", -1);
    g_autoptr(GPtrArray) wanted =
        g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_mig_want_free);

    if (!words[0]) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    "the MIG layout is empty; to destroy all instances, use mig-clear");
        return NULL;
    }
    for (guint i = 0; words[i]; i++) {
        const VgpuNvmlGiProfile *profile;
        guint count = 0;

        if (!read_count(g_strstrip(words[i]), &count, error))
            return NULL;
        if (!profiles)
            continue;
        profile = find_profile(profiles, words[i]);
        if (!profile) {
            g_autofree char *allowed = allowed_text(profiles);

            g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                        "the GPU has no MIG profile '%s'; it has %s", words[i], allowed);
            return NULL;
        }
        add_want(wanted, profile, count);
    }
    if (profiles && !check_totals(wanted, profiles, error))
        return NULL;
    g_ptr_array_sort(wanted, compare_first);
    return g_steal_pointer(&wanted);
}

/* --- the way there -------------------------------------------------------------------------- */

/* How many of @wanted are of this profile, taken one by one. */
static bool
take_one(GHashTable *left, guint profile)
{
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(left, GUINT_TO_POINTER(profile)));

    if (!count)
        return false;
    g_hash_table_insert(left, GUINT_TO_POINTER(profile), GUINT_TO_POINTER(count - 1));
    return true;
}

static void
note_busy(GString *busy, const VgpuNvmlGi *gi)
{
    g_string_append_printf(busy, "%sGPU instance %u (%s) has %u vGPU%s", busy->len ? ", " : "",
                           gi->id, gi->name, gi->vgpus, gi->vgpus == 1 ? "" : "s");
}

bool
vgpu_mig_plan(const char *gpu, const GPtrArray *present, const GPtrArray *wanted, bool all,
              VgpuMigPlan *out, GError **error)
{
    g_autoptr(GHashTable) left = g_hash_table_new(NULL, NULL);
    g_autoptr(GArray) destroy = g_array_new(FALSE, FALSE, sizeof(guint));
    g_autoptr(GArray) create = g_array_new(FALSE, FALSE, sizeof(guint));
    g_autoptr(GString) busy = g_string_new(NULL);

    for (guint i = 0; i < wanted->len; i++) {
        const VgpuMigWant *want = g_ptr_array_index(wanted, i);

        g_hash_table_insert(left, GUINT_TO_POINTER(want->profile), GUINT_TO_POINTER(want->count));
    }
    for (guint i = 0; i < present->len; i++) {
        const VgpuNvmlGi *gi = g_ptr_array_index(present, i);

        if (gi->vgpus && !take_one(left, gi->profile))
            note_busy(busy, gi);
    }
    if (busy->len)
        return vgpu_error_set(error, VGPU_ERROR_BUSY,
                              "GPU %s: %s and would have to be removed; stop those domains first",
                              gpu, busy->str);
    for (guint i = 0; i < present->len; i++) {
        const VgpuNvmlGi *gi = g_ptr_array_index(present, i);

        if (!gi->vgpus && (all || !take_one(left, gi->profile)))
            g_array_append_val(destroy, gi->id);
    }
    for (guint i = 0; i < wanted->len; i++) {
        const VgpuMigWant *want = g_ptr_array_index(wanted, i);

        while (take_one(left, want->profile))
            g_array_append_val(create, want->profile);
    }
    out->destroy = g_steal_pointer(&destroy);
    out->create = g_steal_pointer(&create);
    return true;
}

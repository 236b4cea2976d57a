/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gpu/profile.h"

#include <string.h>

VgpuProfile *
vgpu_profile_new(const char *id, const char *name)
{
    VgpuProfile *self = g_new0(VgpuProfile, 1);

    self->id = g_strdup(id);
    self->name = g_strdup(name && *name ? name : id);
    self->gi_profile = -1;
    return self;
}

VgpuProfile *
vgpu_profile_copy(const VgpuProfile *self)
{
    VgpuProfile *copy = g_memdup2(self, sizeof(*self));

    copy->id = g_strdup(self->id);
    copy->name = g_strdup(self->name);
    copy->max_resolution = g_strdup(self->max_resolution);
    copy->places = self->places ? g_array_copy(self->places) : NULL;
    return copy;
}

void
vgpu_profile_free(VgpuProfile *self)
{
    if (!self)
        return;
    g_free(self->id);
    g_free(self->name);
    g_free(self->max_resolution);
    g_clear_pointer(&self->places, g_array_unref);
    g_free(self);
}

/* "4096M" or "4096" as MiB, 0 for anything else. */
static guint
leading_number(const char *text)
{
    guint64 value = g_ascii_strtoull(text, NULL, 10);

    return value > G_MAXUINT ? 0 : (guint) value;
}

static void
describe_one(VgpuProfile *self, const char *key, const char *value)
{
    if (g_str_equal(key, "framebuffer"))
        self->fb_mib = leading_number(value);
    else if (g_str_equal(key, "num_heads"))
        self->num_heads = leading_number(value);
    else if (g_str_equal(key, "frl_config"))
        self->frl = leading_number(value);
    else if (g_str_equal(key, "max_instance"))
        self->max_instances = leading_number(value);
    else if (g_str_equal(key, "max_resolution") || g_str_equal(key, "resolution")) {
        g_free(self->max_resolution);
        self->max_resolution = g_strdup(value);
    }
}

void
vgpu_profile_describe(VgpuProfile *self, const char *description)
{
    /* in "key: value" a blank belongs to the pair */
    g_auto(GStrv) parts =
        g_strsplit_set(description, strchr(description, '=') ? ", \n" : ",\n", -1);

    for (char **part = parts; *part; part++) {
        char *separator = strpbrk(*part, "=:");

        if (!separator)
            continue;
        *separator = '\0';
        describe_one(self, g_strstrip(*part), g_strstrip(separator + 1));
    }
}

#define ALL_SLICES 7 /* the slices of a GPU in MIG mode; some GPUs have fewer, none has more */

/* The parts of a name's tail: "-4Q", "-2B4", "-1-5CME". */
typedef struct {
    guint slices; /* of the MIG GPU instance; 0: it is not MIG-backed */
    guint gib;    /* 0 stands for half a GiB */
    char series;
} Tail;

/* Models have blanks, dashes and numbers of their own in front of it, so only the end is looked at.
 * False when it is not such an end. */
static bool
parse_tail(const char *name, Tail *tail)
{
    static GRegex *regex;
    static gsize once;
    g_autoptr(GMatchInfo) match = NULL;
    g_autofree char *slices = NULL;
    g_autofree char *size = NULL;
    g_autofree char *letter = NULL;

    if (g_once_init_enter(&once)) {
        regex = g_regex_new("-(?:([1-9])-)?([0-9]{1,4})([ABCQ])(?:[0-9]|ME|NOME|MEALL|GFX)?$",
                            G_REGEX_OPTIMIZE, 0, NULL);
        g_once_init_leave(&once, 1);
    }
    if (!g_regex_match(regex, name, 0, &match))
        return false;
    slices = g_match_info_fetch(match, 1);
    size = g_match_info_fetch(match, 2);
    letter = g_match_info_fetch(match, 3);
    tail->slices = leading_number(slices);
    tail->gib = leading_number(size);
    tail->series = *letter;
    return true;
}

char
vgpu_profile_series(const VgpuProfile *self)
{
    Tail tail;

    return parse_tail(self->name, &tail) ? tail.series : 0;
}

/* "-1-5C" at its end, as far as that is seen at once: it is asked for each profile of each GPU. */
static bool
may_have_slices(const char *name)
{
    const char *dash = strrchr(name, '-');

    return dash && dash - name >= 2 && dash[-2] == '-' && dash[-1] >= '1' && dash[-1] <= '9';
}

bool
vgpu_profile_is_mig(const VgpuProfile *self)
{
    Tail tail;

    return self->gi_profile >= 0 ||
           (may_have_slices(self->name) && parse_tail(self->name, &tail) && tail.slices);
}

void
vgpu_profile_guess(VgpuProfile *self)
{
    Tail tail;

    if ((self->fb_mib && self->max_instances) || !parse_tail(self->name, &tail))
        return;
    if (!self->fb_mib)
        self->fb_mib = tail.gib ? tail.gib * 1024 : 512;
    if (!self->max_instances && tail.slices == ALL_SLICES)
        self->max_instances = 1;
}

/* NVIDIA vGPU guide, "NVIDIA vGPU software licensed products" and "Multiple vGPU support". */
typedef struct {
    const char *purpose;
    const char *license;
    guint max_per_domain;
    char letter;
} Series;

static const Series all_series[] = {
    { "virtual workstation", "NVIDIA RTX Virtual Workstation", 16, 'Q' },
    { "compute and AI", "NVIDIA AI Enterprise", 16, 'C' },
    { "virtual desktop", "NVIDIA Virtual PC", 1, 'B' },
    { "streamed applications", "NVIDIA Virtual Applications", 1, 'A' },
};

static const Series *
find_series(const VgpuProfile *self)
{
    char letter = vgpu_profile_series(self);

    for (gsize i = 0; i < G_N_ELEMENTS(all_series); i++) {
        if (all_series[i].letter == letter)
            return &all_series[i];
    }
    return NULL;
}

const char *
vgpu_profile_purpose(const VgpuProfile *self)
{
    const Series *series = find_series(self);

    return series ? series->purpose : NULL;
}

const char *
vgpu_profile_license(const VgpuProfile *self)
{
    const Series *series = find_series(self);

    return series ? series->license : NULL;
}

guint
vgpu_profile_max_per_domain(const VgpuProfile *self)
{
    const Series *series;

    if (self->max_per_domain)
        return self->max_per_domain;
    if (vgpu_profile_is_mig(self)) /* as the driver says of those whose answer is known */
        return 1;
    series = find_series(self);
    return series ? series->max_per_domain : 0;
}

static const char *
without_vendor(const char *name)
{
    static const char *const prefixes[] = { "NVIDIA ", "GRID " };

    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        if (g_str_has_prefix(name, prefixes[i]))
            return name + strlen(prefixes[i]);
    }
    return name;
}

/* "nvidia-746" is also known by its number alone. */
static bool
is_number_of(const char *id, const char *wanted)
{
    const char *dash = strrchr(id, '-');

    return dash && g_str_equal(dash + 1, wanted) &&
           strspn(wanted, "0123456789") == strlen(wanted) && *wanted;
}

bool
vgpu_profile_matches(const VgpuProfile *self, const char *wanted)
{
    return g_str_equal(self->id, wanted) || is_number_of(self->id, wanted) ||
           g_str_equal(without_vendor(self->name), without_vendor(wanted));
}

bool
vgpu_profile_matches_any(const VgpuProfile *self, const char *const *wanted)
{
    for (; *wanted; wanted++) {
        if (vgpu_profile_matches(self, *wanted))
            return true;
    }
    return false;
}

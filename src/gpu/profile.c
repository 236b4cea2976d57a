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

/* The tail of a name, "-4Q", "-2B4", "-1-5CME", from its last or last but one number on; false when
 * it has none. Kept by hand: model names come with blanks and dashes of their own. */
static bool
parse_tail(const char *name, guint *gib, char *series, bool *mig)
{
    static GRegex *regex;
    static gsize once;
    g_autoptr(GMatchInfo) match = NULL;
    g_autofree char *slices = NULL;
    g_autofree char *size = NULL;
    g_autofree char *letter = NULL;

    if (g_once_init_enter(&once)) {
        regex = g_regex_new("-(?:([1-9])-)?([0-9]+)([ABCQ])(?:[0-9]|ME|NOME|MEALL|GFX)?$", 0, 0, NULL);
        g_once_init_leave(&once, 1);
    }
    if (!g_regex_match(regex, name, 0, &match))
        return false;
    slices = g_match_info_fetch(match, 1);
    size = g_match_info_fetch(match, 2);
    letter = g_match_info_fetch(match, 3);
    *mig = *slices != '\0';
    *gib = leading_number(size);
    *series = *letter;
    return true;
}

char
vgpu_profile_series(const VgpuProfile *self)
{
    guint gib;
    char series = 0;
    bool mig;

    (void) !parse_tail(self->name, &gib, &series, &mig);
    return series;
}

bool
vgpu_profile_is_mig(const VgpuProfile *self)
{
    guint gib;
    char series;
    bool mig = false;

    (void) !parse_tail(self->name, &gib, &series, &mig);
    return mig || self->gi_profile >= 0;
}

void
vgpu_profile_guess(VgpuProfile *self)
{
    guint gib = 0;
    char series;
    bool mig;

    if (!self->fb_mib && parse_tail(self->name, &gib, &series, &mig))
        self->fb_mib = gib ? gib * 1024 : 512;
}

/* NVIDIA vGPU guide, "NVIDIA vGPU software licensed products" and "Multiple vGPU support". */
static const struct {
    char series;
    const char *purpose;
    const char *license;
    guint max_per_domain;
} all_series[] = {
    { 'Q', "virtual workstation", "NVIDIA RTX Virtual Workstation", 16 },
    { 'C', "compute and AI", "NVIDIA AI Enterprise", 16 },
    { 'B', "virtual desktop", "NVIDIA Virtual PC", 1 },
    { 'A', "streamed applications", "NVIDIA Virtual Applications", 1 },
};

const char *
vgpu_profile_purpose(const VgpuProfile *self)
{
    char series = vgpu_profile_series(self);

    for (gsize i = 0; i < G_N_ELEMENTS(all_series); i++) {
        if (all_series[i].series == series)
            return all_series[i].purpose;
    }
    return NULL;
}

const char *
vgpu_profile_license(const VgpuProfile *self)
{
    char series = vgpu_profile_series(self);

    for (gsize i = 0; i < G_N_ELEMENTS(all_series); i++) {
        if (all_series[i].series == series)
            return all_series[i].license;
    }
    return NULL;
}

guint
vgpu_profile_max_per_domain(const VgpuProfile *self)
{
    char series = vgpu_profile_series(self);

    for (gsize i = 0; !self->max_per_domain && i < G_N_ELEMENTS(all_series); i++) {
        if (all_series[i].series == series)
            return all_series[i].max_per_domain;
    }
    return self->max_per_domain;
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

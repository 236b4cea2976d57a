#include "gpu/profile.h"

#include <string.h>

VgpuProfile *
vgpu_profile_new(const char *id, const char *name)
{
    VgpuProfile *self = g_new0(VgpuProfile, 1);

    self->id = g_strdup(id);
    self->name = g_strdup(name && *name ? name : id);
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "board-model.h"

#define MAX_ON_GPU 32 /* NVA081_MAX_VGPU_PER_PGPU_NON_MIG */

static guint
previous_power(guint n)
{
    guint power = 1;

    while (power * 2 <= n)
        power *= 2;
    return power;
}

/* Halves, quarters and so on: of a type that fills some of them both ends, of another the outer one. */
static void
divide(ModelType *type, guint min, guint max, guint parts, bool left)
{
    guint power = previous_power(type->max);
    bool both = parts * 2 == type->max;
    bool one = (power < type->max && power == parts) || (parts == 1 && type->max == 1);

    if (parts > MAX_ON_GPU / 2)
        return;
    if (both || (one && left))
        type->places[type->n_places++] = min;
    if (both || (one && !left))
        type->places[type->n_places++] = max - type->slots;
    divide(type, min, (min + max) / 2, parts * 2, true);
    divide(type, (min + max) / 2, max, parts * 2, false);
}

void
model_make_places(Model *self, guint region, bool even)
{
    for (guint t = 0; t < self->n_types; t++) {
        ModelType *type = &self->types[t];

        if (type->gi_profile >= 0)
            continue;
        type->slots = region == 96 && type->size == 2048 ? 3 : type->size / 1024;
        if (!even)
            divide(type, 0, region, 1, true);
        for (guint n = 0; even && n < type->max; n++)
            type->places[type->n_places++] = region * n / type->max;
    }
}

static bool
find_function(const Model *self, guint *function)
{
    for (*function = 0; *function < MAX(self->n_vfs, 1); ++*function) {
        bool taken = false;

        for (guint i = 0; self->n_vfs && i < self->n_vgpus; i++)
            taken |= self->vgpus[i].function == *function;
        if (!taken)
            return true;
    }
    return false;
}

static bool
takes_equal(const Model *self, const ModelType *type)
{
    if (type->gi_profile >= 0)
        return false;
    if (!self->n_vgpus)
        return true;
    return self->types[self->vgpus[0].type].size == type->size && self->n_vgpus < type->max;
}

static bool
find_gi(const Model *self, const ModelType *type, int *gi)
{
    for (guint g = 0; g < self->n_gis; g++) {
        guint n = 0, size = type->size;

        for (guint i = 0; i < self->n_vgpus; i++) {
            if (self->vgpus[i].gi != (int) g)
                continue;
            n++;
            size = self->types[self->vgpus[i].type].size;
        }
        if (type->gi_profile >= 0 && self->gis[g] == type->gi_profile && size == type->size &&
            n < type->per_gi) {
            *gi = (int) g;
            return true;
        }
    }
    return false;
}

static bool
find_slot(const Model *self, const ModelType *type, int *slot)
{
    for (guint p = 0; self->n_vgpus < MAX_ON_GPU && p < type->n_places; p++) {
        bool free = true;

        for (guint i = 0; i < self->n_vgpus; i++) {
            guint begin = (guint) self->vgpus[i].slot;

            free &= begin >= type->places[p] + type->slots ||
                    type->places[p] >= begin + self->types[self->vgpus[i].type].slots;
        }
        if (free) {
            *slot = (int) type->places[p];
            return true;
        }
    }
    return false;
}

bool
model_take(Model *self, guint type)
{
    ModelVgpu vgpu = { .type = type, .gi = -1, .slot = -1 };
    const ModelType *wanted = &self->types[type];
    bool takes = self->mode == MODEL_EQUAL ? takes_equal(self, wanted)
                 : self->mode == MODEL_MIG ? find_gi(self, wanted, &vgpu.gi)
                                           : find_slot(self, wanted, &vgpu.slot);

    if (!takes || !find_function(self, &vgpu.function))
        return false;
    self->vgpus[self->n_vgpus++] = vgpu;
    return true;
}

void
model_drop(Model *self, guint n)
{
    for (guint i = n + 1; i < self->n_vgpus; i++)
        self->vgpus[i - 1] = self->vgpus[i];
    self->n_vgpus--;
}

guint
model_room(const Model *self, guint type)
{
    Model copy = *self;
    guint room = 0;

    while (model_take(&copy, type))
        room++;
    return room;
}

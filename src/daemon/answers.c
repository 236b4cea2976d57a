/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/answers.h"

#include "base/error.h"
#include "daemon/figures.h"

#define STEP_MS 50

struct VgpuAnswers {
    VgpuAnswersSource source;
    gint changes; /* in progress or waiting; atomic */
    GMutex lock;
    GHashTable *questions; /* "VERB GPU" -> Question; none is ever removed */
};

typedef struct {
    const VgpuAnswersSource *source;
    char *type, *verb, *gpu;
    VgpuFigures *answers;
} Question;

VgpuAnswers *
vgpu_answers_new(const VgpuAnswersSource *source)
{
    VgpuAnswers *self = g_new0(VgpuAnswers, 1);

    self->source = *source;
    g_mutex_init(&self->lock);
    self->questions = g_hash_table_new(g_str_hash, g_str_equal);
    return self;
}

static GVariant *
read_answer(gpointer opaque, GError **error)
{
    const Question *question = opaque;

    return question->source->ask(question->source->opaque, question->type, question->verb,
                                 question->gpu, error);
}

static Question *
find(VgpuAnswers *self, const char *type, const char *verb, const char *gpu)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    char *key = g_strdup_printf("%s %s", verb, gpu ? gpu : "");
    Question *question = g_hash_table_lookup(self->questions, key);

    if (question) {
        g_free(key);
        return question;
    }
    question = g_new0(Question, 1);
    question->source = &self->source;
    question->type = g_strdup(type);
    question->verb = g_strdup(verb);
    question->gpu = g_strdup(gpu);
    question->answers = vgpu_figures_new(&(VgpuFiguresSource) {
        .read = read_answer, .opaque = question, .clock = self->source.clock });
    g_hash_table_insert(self->questions, key, question);
    return question;
}

GVariant *
vgpu_answers_get(VgpuAnswers *self, const char *type, const char *verb, const char *gpu,
                 GError **error)
{
    return vgpu_figures_get(find(self, type, verb, gpu)->answers, 0, error);
}

static void
forget(VgpuAnswers *self)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    GHashTableIter iter;
    gpointer question;

    g_hash_table_iter_init(&iter, self->questions);
    while (g_hash_table_iter_next(&iter, NULL, &question))
        vgpu_figures_forget(((Question *) question)->answers);
}

void
vgpu_answers_begin_change(VgpuAnswers *self)
{
    g_atomic_int_inc(&self->changes);
}

void
vgpu_answers_end_change(VgpuAnswers *self)
{
    forget(self);
    (void) g_atomic_int_add(&self->changes, -1);
}

bool
vgpu_answers_wait(VgpuAnswers *self, guint patience_ms, GError **error)
{
    for (guint waited = 0; g_atomic_int_get(&self->changes); waited += STEP_MS) {
        if (waited >= patience_ms)
            return vgpu_error_set(error, VGPU_ERROR_BUSY,
                                  "a GPU is being set up; try again later");
        g_usleep(STEP_MS * 1000);
    }
    return true;
}

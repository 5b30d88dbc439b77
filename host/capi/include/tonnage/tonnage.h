/* SPDX-FileCopyrightText: The tonnage authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* tonnage for C: plans a fleet of LLM inference servers from any language that can call C11.
 * Owns: the stable binary interface of the shared library libtonnage.
 *
 * Rules: every function that can fail returns a tonnage_status; none prints, aborts, throws or
 * keeps state of its own. Objects are independent of each other: different threads may work on
 * different objects, and may read one object as long as nobody changes it.
 *
 * Strings are UTF-8 and end with NUL. Strings given to the library are copied. Strings it gives out
 * belong to the object that returned them and live as long as it does, or as the function says.
 *
 * Structs begin with struct_size, which the caller sets to sizeof the struct it was compiled with
 * (TONNAGE_INIT does). Later versions only append fields: a caller compiled with an older, smaller
 * struct gets the fields it knows, one compiled with a newer, larger struct gets zeros in the rest.
 * Option fields that the library is too old to know must be zero, else they are refused.
 *
 * Rates are in requests/min, times in ms, costs in cents/hour, power in watts.
 *
 * Example:
 *   tonnage_system* system = NULL;
 *   tonnage_plan* plan = NULL;
 *   tonnage_error* error = tonnage_error_new();
 *   tonnage_status status = tonnage_system_from_path("fleet.json", &system, error);
 *   if (status == TONNAGE_OK) status = tonnage_plan_make(system, NULL, &plan, error);
 *   if (status != TONNAGE_OK) fprintf(stderr, "%s\n", tonnage_error_message(error));
 *   tonnage_plan_free(plan);
 *   tonnage_system_free(system);
 *   tonnage_error_free(error); */
#ifndef TONNAGE_TONNAGE_H
#define TONNAGE_TONNAGE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define TONNAGE_API __attribute__((visibility("default")))
#else
#define TONNAGE_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A struct of the given type, struct_size set and all else zero, which is the default everywhere:
 *   tonnage_plan_options options = TONNAGE_INIT(tonnage_plan_options); */
#ifdef __cplusplus
#define TONNAGE_INIT(type)                    \
  ([]() {                                     \
    type tonnage_fresh{};                     \
    tonnage_fresh.struct_size = sizeof(type); \
    return tonnage_fresh;                     \
  }())
#else
#define TONNAGE_INIT(type) \
  { .struct_size = sizeof(type) }
#endif

typedef enum tonnage_status {
  TONNAGE_OK = 0,
  TONNAGE_INVALID_INPUT = 1, /* a value or file content that is refused; NULL where it may not be */
  TONNAGE_NOT_FOUND = 2,     /* no object of that name or index */
  TONNAGE_UNAVAILABLE = 3,   /* the backend or solver asked for is not usable here */
  TONNAGE_IO = 4,            /* a file could not be read */
  TONNAGE_NO_MEMORY = 5,
  TONNAGE_INTERNAL = 6, /* a defect of the library */
  TONNAGE_STOPPED = 7   /* the progress callback asked to stop */
} tonnage_status;

/* Version of the library, e.g. "0.1.0"; static. */
TONNAGE_API const char* tonnage_version(void);
/* Name of a status, e.g. "not found"; static. "unknown status" for any other number. */
TONNAGE_API const char* tonnage_status_name(tonnage_status status);

/* ---- errors ------------------------------------------------------------------------------------
 * An error object receives the message of the last call it was given to; one can be used for any
 * number of calls, one after the other. Every `error` parameter may be NULL. */
typedef struct tonnage_error tonnage_error;

/* NULL if memory is short; NULL is a valid error argument everywhere. */
TONNAGE_API tonnage_error* tonnage_error_new(void);
TONNAGE_API void tonnage_error_free(tonnage_error* error); /* NULL is fine */
/* The message of the last failure, without a newline at the end; "" after a success or for NULL.
 * Valid until the next use of the object. */
TONNAGE_API const char* tonnage_error_message(const tonnage_error* error);

/* ---- systems -----------------------------------------------------------------------------------
 * A system is a fleet: accelerators, models, service classes, servers, capacities, and how to
 * optimize it. A call that is refused leaves it as it was. */
typedef struct tonnage_system tonnage_system;

/* Reads the text of a combined file (`length` bytes; no NUL is needed, one among them is an error).
 * On failure *system is NULL and the message lists what is wrong, one problem a line, the first
 * 20. */
TONNAGE_API tonnage_status tonnage_system_from_json(const char* text, size_t length,
                                                    tonnage_system** system, tonnage_error* error);
/* Reads a combined file or a folder of the six files; otherwise as tonnage_system_from_json. */
TONNAGE_API tonnage_status tonnage_system_from_path(const char* path, tonnage_system** system,
                                                    tonnage_error* error);
TONNAGE_API void tonnage_system_free(tonnage_system* system); /* NULL is fine */

/* Warnings about legal but probably unintended input, one per line; "" without any. */
TONNAGE_API tonnage_status tonnage_system_warnings(const tonnage_system* system, const char** text,
                                                   tonnage_error* error);

typedef struct tonnage_system_counts {
  size_t struct_size;
  size_t num_accelerators;
  size_t num_models;
  size_t num_service_classes;
  size_t num_servers;
  size_t num_capacities; /* types with a capacity entry */
} tonnage_system_counts;

TONNAGE_API tonnage_status tonnage_system_get_counts(const tonnage_system* system,
                                                     tonnage_system_counts* counts,
                                                     tonnage_error* error);

/* Cards available of an accelerator type, 0 to 1e9. NOT_FOUND when no accelerator is of that type
 * and no capacity was stated for it. */
TONNAGE_API tonnage_status tonnage_system_set_capacity(tonnage_system* system, const char* type,
                                                       int64_t num_cards, tonnage_error* error);

/* Load of a server: arrival rate over all replicas (0 to 1e12 requests/min), average tokens per
 * request (0 to 1e9). */
TONNAGE_API tonnage_status tonnage_system_set_load(tonnage_system* system, const char* server,
                                                   double arrival_rate_per_min,
                                                   int64_t avg_in_tokens, int64_t avg_out_tokens,
                                                   tonnage_error* error);

/* Sets the current allocation of a server, from which transition costs are counted. `accelerator`
 * NULL or "": no allocation, then the numbers must be 0. Replicas 0 to 1e9, batch 0 to 1048576,
 * cost of all replicas 0 to 1e15 cents/hour. The system need not know the accelerator. */
TONNAGE_API tonnage_status tonnage_system_set_current_allocation(
    tonnage_system* system, const char* server, const char* accelerator, int64_t num_replicas,
    int64_t max_batch, double cost_cents_per_hour, tonnage_error* error);

typedef struct tonnage_server {
  size_t struct_size;
  const char* name;
  const char* service_class; /* NULL or "": "Free" */
  const char* model;
  int32_t keep_accelerator; /* not 0: stay on the current accelerator */
  int64_t min_num_replicas;
  int64_t max_num_replicas; /* 0: no bound */
  int64_t max_batch_size;   /* 0: from the performance data */
  int64_t max_queue_size;
  int64_t max_num_tokens; /* tokens per iteration; 0: from the performance data */
} tonnage_server;

/* Adds a server without load and allocation, or changes the one of that name, whose load and
 * current allocation stay. A class or model that the system does not know is no error here; plans
 * then say why the server is unallocated. */
TONNAGE_API tonnage_status tonnage_system_set_server(tonnage_system* system,
                                                     const tonnage_server* server,
                                                     tonnage_error* error);
TONNAGE_API tonnage_status tonnage_system_remove_server(tonnage_system* system, const char* server,
                                                        tonnage_error* error);

/* ---- plans -------------------------------------------------------------------------------------
 * A plan is an immutable result, independent of its system. */
typedef struct tonnage_plan tonnage_plan;

enum {                          /* tonnage_plan_options.solver */
       TONNAGE_SOLVER_AUTO = 0, /* unlimited or milp if the system says so, else price */
       TONNAGE_SOLVER_UNLIMITED = 1,
       TONNAGE_SOLVER_GREEDY = 2,
       TONNAGE_SOLVER_PRICE = 3, /* near-optimal, with a certificate */
       TONNAGE_SOLVER_MILP = 4 /* exact; TONNAGE_UNAVAILABLE where the build has no solver for it */
};

enum {                          /* tonnage_plan_options.batch */
       TONNAGE_BATCH_MAX = 0,   /* every replica at its largest batch size */
       TONNAGE_BATCH_SEARCH = 1 /* the smallest batch size that needs the fewest replicas */
};

/* Called now and then on the planning thread with the progress of a phase; `phase` is valid during
 * the call. A result other than 0 stops planning. Must return normally: no exceptions, no longjmp.
 */
typedef int (*tonnage_progress)(const char* phase, int64_t done, int64_t total, void* user);

typedef struct tonnage_plan_options {
  size_t struct_size;
  int32_t solver;
  int32_t batch;
  const char* backend;       /* NULL: "auto" */
  int32_t num_threads;       /* 0: one per processor; the plan does not depend on it */
  tonnage_progress progress; /* may be NULL */
  void* progress_user;       /* handed to it */
} tonnage_plan_options;

/* Plans the whole system. Servers that cannot be allocated are listed in the plan; that is no
 * failure. `options` NULL: defaults. On failure *plan is NULL. */
TONNAGE_API tonnage_status tonnage_plan_make(const tonnage_system* system,
                                             const tonnage_plan_options* options,
                                             tonnage_plan** plan, tonnage_error* error);
TONNAGE_API void tonnage_plan_free(tonnage_plan* plan); /* NULL is fine */

typedef struct tonnage_plan_summary {
  size_t struct_size;
  size_t num_allocations;
  size_t num_unallocated;
  size_t num_types;
  int32_t complete;       /* 1: every server has all the replicas it needs */
  double total_cost;      /* cents/hour */
  double total_value;     /* sum of the allocations' values */
  int64_t num_candidates; /* feasible (server, accelerator) pairs */
  const char* solver;     /* the one that ran */
  const char* backend;    /* the one that evaluated the candidates */
} tonnage_plan_summary;

TONNAGE_API tonnage_status tonnage_plan_get_summary(const tonnage_plan* plan,
                                                    tonnage_plan_summary* summary,
                                                    tonnage_error* error);

typedef struct tonnage_allocation {
  size_t struct_size;
  const char* server;
  const char* accelerator; /* "": the empty allocation of a server without load */
  int64_t num_replicas;
  int64_t replicas_needed; /* to meet the targets; more than num_replicas when partial */
  int64_t max_batch;
  int32_t partial; /* 1: fewer replicas than needed */
  int32_t priority;
  double cost;             /* of all replicas */
  double value;            /* cost of going there from the current allocation */
  double itl_ms;           /* average time between tokens */
  double ttft_ms;          /* average time to the first token */
  double rho;              /* utilisation */
  double max_rpm;          /* largest rate of one replica within the targets, requests/min */
  double drop_probability; /* of a request */
  double ttft_p50_ms;
  double ttft_p90_ms;
  double ttft_p95_ms;
  double ttft_p99_ms;
  double power_w;     /* of all replicas */
  double response_ms; /* average time to the last token */
  size_t num_parts;   /* accelerators combined; 0 where there is one or none */
} tonnage_allocation;

/* One of the accelerators that an allocation combines. */
typedef struct tonnage_part {
  size_t struct_size;
  const char* accelerator;
  int64_t num_replicas;
  int64_t max_batch;
  double cost;  /* cents/hour */
  double share; /* of the server's load */
} tonnage_part;

/* By index, 0 to num_allocations - 1, in the order of server names. */
TONNAGE_API tonnage_status tonnage_plan_get_allocation(const tonnage_plan* plan, size_t index,
                                                       tonnage_allocation* allocation,
                                                       tonnage_error* error);
/* By server name; NOT_FOUND if the plan leaves the server unallocated or does not know it. */
TONNAGE_API tonnage_status tonnage_plan_find_allocation(const tonnage_plan* plan,
                                                        const char* server,
                                                        tonnage_allocation* allocation,
                                                        tonnage_error* error);

/* Part `part_index`, 0 to num_parts - 1, of the allocation at `index`. */
TONNAGE_API tonnage_status tonnage_plan_get_part(const tonnage_plan* plan, size_t index,
                                                 size_t part_index, tonnage_part* part,
                                                 tonnage_error* error);

typedef struct tonnage_unallocated {
  size_t struct_size;
  const char* server;
  const char* reason; /* a sentence with names and values */
  int32_t priority;
} tonnage_unallocated;

/* By index, 0 to num_unallocated - 1, in the order of server names. */
TONNAGE_API tonnage_status tonnage_plan_get_unallocated(const tonnage_plan* plan, size_t index,
                                                        tonnage_unallocated* unallocated,
                                                        tonnage_error* error);

typedef struct tonnage_type_usage {
  size_t struct_size;
  const char* type;
  int64_t used;  /* cards */
  int64_t limit; /* cards; -1 when no capacity is stated */
  double cost;
} tonnage_type_usage;

/* By index, 0 to num_types - 1, in the order of type names. */
TONNAGE_API tonnage_status tonnage_plan_get_type_usage(const tonnage_plan* plan, size_t index,
                                                       tonnage_type_usage* usage,
                                                       tonnage_error* error);

/* The plan as JSON, as the command line writes it. The first call makes the text, which the plan
 * keeps; so this call counts as a change of the plan. */
TONNAGE_API tonnage_status tonnage_plan_to_json(tonnage_plan* plan, const char** text,
                                                tonnage_error* error);

/* Applies the plan to the system: its allocations become the current ones, and unallocated servers
 * get none. Servers added after planning are unchanged, removed ones are ignored. */
TONNAGE_API tonnage_status tonnage_system_apply_plan(tonnage_system* system,
                                                     const tonnage_plan* plan,
                                                     tonnage_error* error);

#ifdef __cplusplus
}
#endif

#endif

#include "gateway/api/documents.h"

namespace slipstream::gateway::api {

// NOLINTNEXTLINE(readability-function-size): one text
std::string_view OpenApiText() {
  static constexpr std::string_view kText = R"json({
  "openapi": "3.0.3",
  "info": {
    "title": "Slipstream's state",
    "version": "1",
    "description": "What the cluster and the jobs are doing. Nothing is changed here; files are read and written at /webhdfs/v1. Every number has its unit in its name."
  },
  "servers": [{"url": "/api/v1"}],
  "paths": {
    "/cluster": {"get": {
      "summary": "Space, files, blocks and their health, as the master said last",
      "responses": {"200": {"$ref": "#/components/responses/Cluster"}, "503": {"$ref": "#/components/responses/Error"}}}},
    "/datanodes": {"get": {
      "summary": "Every datanode: state, space, disks, how long it has been silent",
      "responses": {"200": {"$ref": "#/components/responses/Datanodes"}, "503": {"$ref": "#/components/responses/Error"}}}},
    "/files": {"get": {
      "summary": "A file or directory, and a page of its entries by name: what the user of the token may see; without tokens, user.name",
      "parameters": [
        {"$ref": "#/components/parameters/Path"},
        {"name": "after", "in": "query", "description": "The page begins behind this name", "schema": {"type": "string"}},
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1000}}],
      "responses": {"200": {"$ref": "#/components/responses/Files"}, "400": {"$ref": "#/components/responses/Error"}, "403": {"$ref": "#/components/responses/Error"}, "404": {"$ref": "#/components/responses/Error"}, "503": {"$ref": "#/components/responses/Error"}}}},
    "/blocks": {"get": {
      "summary": "The blocks of a file that the user may read, and who has them",
      "parameters": [{"$ref": "#/components/parameters/Path"}],
      "responses": {"200": {"$ref": "#/components/responses/Blocks"}, "400": {"$ref": "#/components/responses/Error"}, "403": {"$ref": "#/components/responses/Error"}, "404": {"$ref": "#/components/responses/Error"}, "503": {"$ref": "#/components/responses/Error"}}}},
    "/jobs": {"get": {
      "summary": "Running jobs and their workers, with rates and lag",
      "responses": {"200": {"$ref": "#/components/responses/Jobs"}, "503": {"$ref": "#/components/responses/Error"}}}},
    "/job": {"get": {
      "summary": "What a job is: its SQL, its plan, the tables that it reads and writes",
      "parameters": [{"name": "job", "in": "query", "required": true, "schema": {"type": "string"}}],
      "responses": {"200": {"$ref": "#/components/responses/Job"}, "404": {"$ref": "#/components/responses/Error"}, "503": {"$ref": "#/components/responses/Error"}}}},
    "/tasks": {"get": {
      "summary": "Every task: partition, position, lag, watermark",
      "responses": {"200": {"$ref": "#/components/responses/Tasks"}, "503": {"$ref": "#/components/responses/Error"}}}},
    "/charts": {"get": {
      "summary": "The charts that the files of the dashboards' folder describe; in \"error\" what is wrong with one",
      "responses": {"200": {"$ref": "#/components/responses/Charts"}}}},
    "/chart": {"get": {
      "summary": "A chart with its data. Asking for it makes the gateway read its source, for half a minute",
      "parameters": [
        {"name": "chart", "in": "query", "required": true, "schema": {"type": "string"}},
        {"name": "from_ms", "in": "query", "description": "Rows from then on, milliseconds since 1970 UTC", "schema": {"type": "integer"}},
        {"name": "to_ms", "in": "query", "description": "Rows before then", "schema": {"type": "integer"}},
        {"name": "last_ms", "in": "query", "description": "In place of both: so much time back from the newest row", "schema": {"type": "integer", "minimum": 1}},
        {"name": "steps", "in": "query", "description": "Points of a line", "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 120}}],
      "responses": {"200": {"$ref": "#/components/responses/Chart"}, "400": {"$ref": "#/components/responses/Error"}, "404": {"$ref": "#/components/responses/Error"}}}},
    "/records": {"get": {
      "summary": "The newest records of a topic, the newest first; long texts are cut",
      "parameters": [
        {"name": "topic", "in": "query", "required": true, "schema": {"type": "string"}},
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 200}}],
      "responses": {"200": {"$ref": "#/components/responses/Records"}, "400": {"$ref": "#/components/responses/Error"}, "404": {"$ref": "#/components/responses/Error"}, "503": {"$ref": "#/components/responses/Error"}}}},
    "/topics": {"get": {
      "summary": "Kafka's topics, and what each job has still to read of them",
      "responses": {"200": {"$ref": "#/components/responses/Topics"}, "503": {"$ref": "#/components/responses/Error"}}}},
    "/events": {"get": {
      "summary": "Events cluster, datanodes, jobs and tasks, once a second, with the documents of those names",
      "responses": {"200": {"description": "Server-sent events", "content": {"text/event-stream": {"schema": {"type": "string"}}}}}}},
    "/openapi.json": {"get": {
      "summary": "This",
      "responses": {"200": {"description": "OpenAPI", "content": {"application/json": {"schema": {"type": "object"}}}}}}}
  },
  "components": {
    "parameters": {
      "Path": {"name": "path", "in": "query", "description": "Absolute; without it the root", "schema": {"type": "string"}}
    },
    "schemas": {
      "Flow": {"type": "object", "required": ["rows", "bytes"], "properties": {"rows": {"type": "integer"}, "bytes": {"type": "integer"}}},
      "Flows": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Flow"}}
    },
    "responses": {
      "Cluster": {"description": "The cluster", "content": {"application/json": {"schema": {"type": "object", "required": ["age_ms", "is_in_safe_mode", "datanodes", "capacity_bytes", "used_bytes", "free_bytes", "files", "blocks", "under_replicated_blocks", "missing_blocks"]}}}},
      "Datanodes": {"description": "Datanodes", "content": {"application/json": {"schema": {"type": "object", "required": ["datanodes"], "properties": {"datanodes": {"type": "array", "items": {"type": "object", "required": ["node_id", "address", "state", "service", "silent_ms", "capacity_bytes", "used_bytes", "free_bytes", "replicas", "disks"]}}}}}}},
      "Files": {"description": "A path and its entries", "content": {"application/json": {"schema": {"type": "object", "required": ["path", "status", "entries", "has_more"]}}}},
      "Blocks": {"description": "Blocks in order", "content": {"application/json": {"schema": {"type": "object", "required": ["path", "blocks"]}}}},
      "Jobs": {"description": "Jobs. inputs (by topic), outputs (by topic or path) and exchanges (by number, as they stand in the plan) say how much went through since its processes began, operators (by number) what came into each, with the bytes that the values take in memory. Of a worker, standbys counts its copies of others' tasks, and standby_lag_records how far these are behind, once all have caught up", "content": {"application/json": {"schema": {"type": "object", "required": ["jobs"], "properties": {"jobs": {"type": "array", "items": {"type": "object", "required": ["job", "rows_in", "rows_out", "rows_in_per_second", "operators", "inputs", "outputs", "exchanges", "lag_records", "workers"], "properties": {"inputs": {"$ref": "#/components/schemas/Flows"}, "outputs": {"$ref": "#/components/schemas/Flows"}, "operators": {"type": "array", "items": {"$ref": "#/components/schemas/Flow"}}, "exchanges": {"type": "array", "items": {"$ref": "#/components/schemas/Flow"}}}}}}}}}},
      "Job": {"description": "A job", "content": {"application/json": {"schema": {"type": "object", "required": ["job", "sources", "sinks", "plan", "sql"]}}}},
      "Tasks": {"description": "Tasks. busy_share and held_back_share are of the last second: with its records, and not reading while what it had given was committed", "content": {"application/json": {"schema": {"type": "object", "required": ["tasks"], "properties": {"tasks": {"type": "array", "items": {"type": "object", "required": ["job", "worker", "topic", "partition", "position", "is_idle", "is_done", "busy_share", "held_back_share"]}}}}}}},
      "Topics": {"description": "Topics", "content": {"application/json": {"schema": {"type": "object", "required": ["topics"]}}}},
      "Charts": {"description": "Charts", "content": {"application/json": {"schema": {"type": "object", "required": ["charts"]}}}},
      "Chart": {"description": "A chart; without \"groups\" until its source was read", "content": {"application/json": {"schema": {"type": "object", "required": ["chart", "title", "type", "unit", "is_read"]}}}},
      "Records": {"description": "Records", "content": {"application/json": {"schema": {"type": "object", "required": ["topic", "records"]}}}},
      "Error": {"description": "Why not", "content": {"application/json": {"schema": {"type": "object", "required": ["error"], "properties": {"error": {"type": "object", "required": ["code", "message"], "properties": {"code": {"type": "string"}, "message": {"type": "string"}}}}}}}}
    }
  }
})json";
  return kText;
}

}  // namespace slipstream::gateway::api

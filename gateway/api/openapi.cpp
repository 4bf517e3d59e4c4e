#include "gateway/api/documents.h"

namespace slipstream::gateway::api {

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
      "summary": "A file or directory, and a page of its entries by name",
      "parameters": [
        {"$ref": "#/components/parameters/Path"},
        {"name": "after", "in": "query", "description": "The page begins behind this name", "schema": {"type": "string"}},
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1000}}],
      "responses": {"200": {"$ref": "#/components/responses/Files"}, "400": {"$ref": "#/components/responses/Error"}, "404": {"$ref": "#/components/responses/Error"}, "503": {"$ref": "#/components/responses/Error"}}}},
    "/blocks": {"get": {
      "summary": "The blocks of a file, and who has them",
      "parameters": [{"$ref": "#/components/parameters/Path"}],
      "responses": {"200": {"$ref": "#/components/responses/Blocks"}, "400": {"$ref": "#/components/responses/Error"}, "404": {"$ref": "#/components/responses/Error"}, "503": {"$ref": "#/components/responses/Error"}}}},
    "/jobs": {"get": {
      "summary": "Running jobs and their workers, with rates and lag",
      "responses": {"200": {"$ref": "#/components/responses/Jobs"}, "503": {"$ref": "#/components/responses/Error"}}}},
    "/tasks": {"get": {
      "summary": "Every task: partition, position, lag, watermark",
      "responses": {"200": {"$ref": "#/components/responses/Tasks"}, "503": {"$ref": "#/components/responses/Error"}}}},
    "/topics": {"get": {
      "summary": "Kafka's topics, and what each job has still to read of them",
      "responses": {"200": {"$ref": "#/components/responses/Topics"}, "503": {"$ref": "#/components/responses/Error"}}}},
    "/events": {"get": {
      "summary": "Events cluster, datanodes and jobs, once a second, with the documents of those names",
      "responses": {"200": {"description": "Server-sent events", "content": {"text/event-stream": {"schema": {"type": "string"}}}}}}},
    "/openapi.json": {"get": {
      "summary": "This",
      "responses": {"200": {"description": "OpenAPI", "content": {"application/json": {"schema": {"type": "object"}}}}}}}
  },
  "components": {
    "parameters": {
      "Path": {"name": "path", "in": "query", "description": "Absolute; without it the root", "schema": {"type": "string"}}
    },
    "responses": {
      "Cluster": {"description": "The cluster", "content": {"application/json": {"schema": {"type": "object", "required": ["age_ms", "is_in_safe_mode", "datanodes", "capacity_bytes", "used_bytes", "free_bytes", "files", "blocks", "under_replicated_blocks", "missing_blocks"]}}}},
      "Datanodes": {"description": "Datanodes", "content": {"application/json": {"schema": {"type": "object", "required": ["datanodes"], "properties": {"datanodes": {"type": "array", "items": {"type": "object", "required": ["node_id", "address", "state", "service", "silent_ms", "capacity_bytes", "used_bytes", "free_bytes", "replicas", "disks"]}}}}}}},
      "Files": {"description": "A path and its entries", "content": {"application/json": {"schema": {"type": "object", "required": ["path", "status", "entries", "has_more"]}}}},
      "Blocks": {"description": "Blocks in order", "content": {"application/json": {"schema": {"type": "object", "required": ["path", "blocks"]}}}},
      "Jobs": {"description": "Jobs", "content": {"application/json": {"schema": {"type": "object", "required": ["jobs"], "properties": {"jobs": {"type": "array", "items": {"type": "object", "required": ["job", "rows_in", "rows_out", "rows_in_per_second", "lag_records", "workers"]}}}}}}},
      "Tasks": {"description": "Tasks", "content": {"application/json": {"schema": {"type": "object", "required": ["tasks"]}}}},
      "Topics": {"description": "Topics", "content": {"application/json": {"schema": {"type": "object", "required": ["topics"]}}}},
      "Error": {"description": "Why not", "content": {"application/json": {"schema": {"type": "object", "required": ["error"], "properties": {"error": {"type": "object", "required": ["code", "message"], "properties": {"code": {"type": "string"}, "message": {"type": "string"}}}}}}}}
    }
  }
})json";
  return kText;
}

}  // namespace slipstream::gateway::api

#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "gateway/http/message.h"

// The heads of requests and answers: as Beast reads and writes them, and as handlers know them. For
// the .cpp files of this folder that know Beast already.

namespace slipstream::gateway::http {

// Method, path, query and headers; of its body and of who sent it nothing is said.
Request ReadHead(const boost::beast::http::request_header<>& head);

// Everything of an answer's head but what says how long it is. Names and values that could carry
// another header are a bug of the handler's, and end the process.
using EmptyResponse = boost::beast::http::response<boost::beast::http::empty_body>;
using TextResponse = boost::beast::http::response<boost::beast::http::string_body>;
EmptyResponse MakeStreamHead(const Response& response, bool is_kept_alive);
TextResponse MakeTextHead(const Response& response, bool is_kept_alive);

}  // namespace slipstream::gateway::http

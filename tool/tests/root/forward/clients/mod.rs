//! Real clients and servers, through both dialers and directly: the same exit code and output, and the
//! same outcome in `pfsnoop forward` and in an independent `pfsnoop watch`.

mod curl;
mod openssh;
mod postgresql;
mod redis;
mod route;

mod build;
mod compressions;
mod corpus;
mod faults;
mod formats;
mod outputs;
mod round_trips;

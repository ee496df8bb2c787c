mod build;
mod compressions;
mod faults;
mod formats;
mod outputs;
mod round_trips;

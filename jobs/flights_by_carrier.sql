-- flights_by_carrier: every flight, stored in a folder of its carrier.
--
-- Input   topic flights-topic: JSON objects with the 21 fields of a flights CSV.
-- Output  dfs:///flights/carrier=XX/: JSON lines with the other 20 fields, typed.
--
-- Numbers of the input may be JSON numbers or strings; `--brokers` says which Kafka, unless the
-- table has 'properties.bootstrap.servers'.

CREATE TABLE flights_raw (
  id BIGINT,
  `year` INT,
  `month` INT,
  `day` INT,
  dep_time INT,
  sched_dep_time INT,
  dep_delay INT,
  arr_time INT,
  sched_arr_time INT,
  arr_delay INT,
  carrier STRING,
  flight INT,
  tailnum STRING,
  origin STRING,
  dest STRING,
  air_time INT,
  distance INT,
  `hour` INT,
  `minute` INT,
  time_hour STRING,
  name STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'flights-topic',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);

CREATE TABLE flights_by_carrier (
  id BIGINT,
  `year` INT,
  `month` INT,
  `day` INT,
  dep_time INT,
  sched_dep_time INT,
  dep_delay INT,
  arr_time INT,
  sched_arr_time INT,
  arr_delay INT,
  carrier STRING,
  flight INT,
  tailnum STRING,
  origin STRING,
  dest STRING,
  air_time INT,
  distance INT,
  `hour` INT,
  `minute` INT,
  time_hour TIMESTAMP(0),
  name STRING
) PARTITIONED BY (carrier) WITH (
  'connector' = 'filesystem',
  'path' = 'dfs:///flights/',
  'format' = 'json'
);

INSERT INTO flights_by_carrier
SELECT
  id,
  `year`,
  `month`,
  `day`,
  dep_time,
  sched_dep_time,
  dep_delay,
  arr_time,
  sched_arr_time,
  arr_delay,
  carrier,
  flight,
  tailnum,
  origin,
  dest,
  air_time,
  distance,
  `hour`,
  `minute`,
  TRY_CAST(time_hour AS TIMESTAMP(0)),
  name
FROM flights_raw;

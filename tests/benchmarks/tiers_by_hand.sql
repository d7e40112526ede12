-- The same answers as the oracle's, written for speed: one row a customer, one column a month.
by_month AS (
    SELECT customer_id, as_of,
           max(amount) FILTER (ago = 0) AS a0, max(amount) FILTER (ago = 1) AS a1,
           max(amount) FILTER (ago = 2) AS a2, max(amount) FILTER (ago = 3) AS a3,
           max(amount) FILTER (ago = 4) AS a4, max(amount) FILTER (ago = 5) AS a5,
           max(amount) FILTER (ago = 6) AS a6, max(amount) FILTER (ago = 7) AS a7,
           max(amount) FILTER (ago = 8) AS a8, max(amount) FILTER (ago = 9) AS a9,
           max(amount) FILTER (ago = 10) AS a10, max(amount) FILTER (ago = 11) AS a11,
           max(amount) FILTER (ago = 12) AS a12, max(amount) FILTER (ago = 13) AS a13
    FROM b WHERE ago < 14 GROUP BY customer_id, as_of
),

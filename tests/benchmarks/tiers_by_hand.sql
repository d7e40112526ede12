-- What the oracle's tier history says, written for speed: one pass, no joins.
means AS (
    SELECT customer_id, as_of,
           {means}
    FROM arpu
),
levels AS (
    SELECT customer_id, as_of, m0 AS arpu,
           {levels}
    FROM means
),
individual AS (
    SELECT customer_id, as_of, arpu, l0 AS level,
           l3 AS tier_individual_3m_level, l6 AS tier_individual_6m_level,
           {ups} AS tier_individual_up_6m_count,
           {downs} AS tier_individual_down_6m_count,
           CASE WHEN l0 IS NULL THEN NULL {held} ELSE 10 END AS held
    FROM levels
),
